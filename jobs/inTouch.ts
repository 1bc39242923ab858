import type { Logger } from "pino";
import { isDatabaseAway } from "../server/db/away.ts";

/** Whether this process reaches the database, told once when that changes. */
export type InTouch = {
  /** Does what shows; throws on what is not the database being away. */
  during(work: () => Promise<unknown>): Promise<void>;
  /** How long (milliseconds) it has reached the database without a break. */
  since(): number;
};

/**
 * While the database is away nobody can give a sign of life. So whoever sees that others gave none must have
 * been able to give its own meanwhile, and for a while after, or it would give up workers that are alive.
 */
export function makeInTouch(log: Logger): InTouch {
  let from: number | undefined;
  let isAway = false;
  return {
    async during(work) {
      try {
        await work();
      } catch (error) {
        from = undefined;
        if (!isDatabaseAway(error)) throw error;
        if (!isAway)
          log.error(
            { err: error },
            "the database does not answer: nothing begins, what runs waits or is retried",
          );
        isAway = true;
        return;
      }
      from ??= performance.now();
      if (isAway) log.warn("the database answers again: going on");
      isAway = false;
    },
    since: () => (from === undefined ? 0 : performance.now() - from),
  };
}
