import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import { isDatabaseAway } from "../server/db/away.ts";

export type Waiting = {
  log: Logger;
  /** Gives up at once, with the signal's reason. */
  signal: AbortSignal;
  /** How long (milliseconds) a database that does not answer is waited for. */
  patience: number;
};

/**
 * Does what needs the database as soon as that answers. A process that starts while the database restarts must
 * not end of it: platforms wait longer and longer before they start again what has ended by itself.
 */
export async function onceAnswered<T>(
  work: () => Promise<T>,
  { log, signal, patience }: Waiting,
): Promise<T> {
  const begun = performance.now();
  for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseAway(error) || performance.now() - begun > patience) throw error;
      if (pause === 50) log.error({ err: error }, "the database does not answer: starting once it does");
      // An abort ends the pause early, and is found out at once.
      await wait(pause, undefined, { signal }).catch(() => {});
    }
  }
}
