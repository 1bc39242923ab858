import { createHash } from "node:crypto";
import { RateLimiterPostgres, RateLimiterRes } from "rate-limiter-flexible";
import type { Db } from "../db/database.ts";

export type SignInLimits = {
  /** Counts a try; seconds to wait when there were too many. */
  count(attempt: Attempt): Promise<{ retryAfter: number } | undefined>;
  /** A right password wipes the tries of that address from there. */
  forgive(attempt: Attempt): Promise<void>;
};

type Attempt = { email: string; ip: string };

/** Ten tries per address and origin, a hundred per origin, in fifteen minutes; shared by all web dynos. */
export function makeSignInLimits(db: Db): SignInLimits {
  const limiter = (keyPrefix: string, points: number) =>
    new RateLimiterPostgres({
      storeClient: db.pool,
      tableName: "sign_in_limits",
      tableCreated: true,
      keyPrefix,
      points,
      duration: 15 * 60,
    });
  const perAddress = limiter("address", 10);
  const perOrigin = limiter("origin", 100);
  return {
    async count(attempt) {
      try {
        await perOrigin.consume(digest(attempt.ip));
        await perAddress.consume(addressKey(attempt));
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        return { retryAfter: Math.ceil(refusal.msBeforeNext / 1000) };
      }
    },
    async forgive(attempt) {
      await perAddress.delete(addressKey(attempt));
      await perOrigin.reward(digest(attempt.ip));
    },
  };
}

function addressKey({ email, ip }: Attempt): string {
  return digest(`${ip} ${email.toLowerCase()}`);
}

/** The table holds no addresses, only what can be recognised again. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
