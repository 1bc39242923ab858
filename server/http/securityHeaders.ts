import type { RequestHandler } from "express";
import helmet from "helmet";

/** Nothing but our own files, and no inline script or style. */
export function securityHeaders(config: { NODE_ENV: string }): RequestHandler {
  const isProduction = config.NODE_ENV === "production";
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        ...(isProduction && { upgradeInsecureRequests: [] }),
      },
    },
    strictTransportSecurity: isProduction,
    xFrameOptions: { action: "deny" },
  });
}

/** Pages show what someone may see now; nobody shows them again later. */
export const neverKept: RequestHandler = (_req, res, next) => {
  res.set("cache-control", "no-store");
  next();
};
