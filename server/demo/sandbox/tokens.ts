import { randomBytes } from "node:crypto";
import { decodeJwt, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { AppDefinition, Directory } from "./directories.ts";

const claims = z.object({ tid: z.string(), roles: z.array(z.string()).default([]), generation: z.number() });

export type AccessTokenClaims = z.infer<typeof claims>;

export type TokenDesk = {
  /** A signed token for one app at one directory; `audience` is the origin it may be used at. */
  issue(directory: Directory, app: AppDefinition, audience: string): Promise<string>;
  /** The claims of a token of ours that has not expired and is meant for this audience, else null. */
  verify(token: string, audience: string): Promise<AccessTokenClaims | null>;
};

/** Issues and checks access tokens with a key that lives as long as the process. */
export function makeTokenDesk(): TokenDesk {
  const key = randomBytes(32);
  return {
    issue(directory, app, audience) {
      // Entra leaves the claim out when no role is granted.
      const roles = app.roles.length === 0 ? {} : { roles: app.roles };
      return new SignJWT({
        tid: directory.directoryId,
        appid: app.clientId,
        ...roles,
        generation: directory.tokenGeneration,
      })
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setIssuer(`https://sts.windows.net/${directory.directoryId}/`)
        .setAudience(audience)
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${directory.tokenSeconds} s`)
        .sign(key);
    },
    async verify(token, audience) {
      try {
        const { payload } = await jwtVerify(token, key, { audience, algorithms: ["HS256"] });
        return claims.parse(payload);
      } catch {
        return null;
      }
    },
  };
}

/** Which directory a token claims to be of, true or not: for the log only. */
export function claimedDirectory(token: string): string | null {
  try {
    return z.string().parse(decodeJwt(token).tid);
  } catch {
    return null;
  }
}
