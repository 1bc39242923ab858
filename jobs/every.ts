import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";

export type Repeated = { stop(): Promise<void> };

/**
 * Does `work` again and again, `pause` milliseconds after it ended, never twice at once. A failure is logged
 * and does not end it. `stop` waits for what is under way.
 */
export function every(
  pause: number,
  work: (signal: AbortSignal) => Promise<unknown>,
  { log, what }: { log: Logger; what: string },
): Repeated {
  const stopping = new AbortController();
  const { signal } = stopping;
  async function repeat(): Promise<void> {
    while (!signal.aborted) {
      await work(signal).catch((error: unknown) => log.warn({ err: error }, `${what} failed`));
      // Only the stop ends the pause early.
      await wait(pause, undefined, { signal }).catch(() => {});
    }
  }
  const done = repeat();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
