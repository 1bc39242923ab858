import { randomUUID } from "node:crypto";
import type { RequestHandler } from "express";
import type { Logger } from "pino";
import { pinoHttp } from "pino-http";
import { errorForLog } from "../errorForLog.ts";

/** One line per request: no addresses, cookies, headers, queries or bodies, which hold personal data. */
export function requestLog(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    genReqId: (_req, res) => {
      const id = randomUUID();
      res.setHeader("x-request-id", id);
      return id;
    },
    autoLogging: { ignore: (req) => req.url?.startsWith("/health/") ?? false },
    customLogLevel: (_req, res, error) => (error || res.err || res.statusCode >= 500 ? "error" : "info"),
    wrapSerializers: false,
    serializers: {
      req: (req) => ({ id: req.id, method: req.method, path: req.originalUrl?.split("?")[0] }),
      res: (res) => ({ status: res.statusCode }),
      err: errorForLog,
    },
  });
}
