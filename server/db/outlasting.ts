import { setTimeout as wait } from "node:timers/promises";
import { isDatabaseAway } from "./away.ts";
import { retrying } from "./retrying.ts";

/** How long (milliseconds) a database may be away before it is given up: a restart, a failover. */
const patience = 60_000;
const longestPause = 1_000;

/**
 * For transactions that record what has happened already, and change nothing when they are repeated: like
 * `retrying`, and a database that goes away is waited for, since what is not recorded now must be found out
 * later. Whether one that was cut off had been committed is not known, so nothing else may be repeated so.
 */
export async function outlasting<T>(attempt: () => Promise<T>, tries?: number): Promise<T> {
  const begun = performance.now();
  for (let pause = 50; ; pause = Math.min(pause * 2, longestPause)) {
    try {
      return await retrying(attempt, tries);
    } catch (error) {
      if (!isDatabaseAway(error) || performance.now() - begun > patience) throw error;
      await wait(pause);
    }
  }
}
