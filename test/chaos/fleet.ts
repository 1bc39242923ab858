import { type LogLine, type ProductProcess, startProduct } from "../helpers/productProcess.ts";

/** Worker processes, each replaced when it is gone, as a platform does. */
export type Fleet = {
  /** Those that are there; one that was just started may not have said so yet. */
  workers(): readonly ProductProcess[];
  /** Starts another in the place of one that has ended or is about to. */
  replace(worker: ProductProcess): void;
  /** Tells all to stop, and waits for the end of every one there ever was. */
  stop(): Promise<void>;
  /** Those that ended as none should, whatever struck them: their exit codes and last words. */
  failures(): Promise<{ code: number; words: readonly LogLine[] }[]>;
  /** Ends what is still there, whatever state it is in. */
  kill(): Promise<void>;
};

export function startFleet(size: number, settings: Record<string, string>): Fleet {
  const start = () => startProduct("jobs/worker.ts", settings);
  const present = new Set(Array.from({ length: size }, start));
  const everStarted = [...present];
  return {
    workers: () => [...present],
    replace(worker) {
      present.delete(worker);
      const next = start();
      present.add(next);
      everStarted.push(next);
    },
    async stop() {
      for (const worker of present) void worker.stop();
      await Promise.all(everStarted.map(({ ended }) => ended));
    },
    async failures() {
      const endings = everStarted.map(async (worker) => ({
        code: await worker.ended,
        words: worker.log().slice(-6),
      }));
      // A signal's name is how those end that were killed, or told to stop before they listened for that.
      return (await Promise.all(endings)).flatMap(({ code, words }) =>
        typeof code === "number" && code !== 0 ? [{ code, words }] : [],
      );
    },
    async kill() {
      for (const { child } of everStarted) child.kill("SIGKILL");
      await Promise.all(everStarted.map(({ ended }) => ended));
    },
  };
}

/** The queue's name for it; null when it has not come that far. */
export function poolOf(worker: ProductProcess): string | null {
  return worker.log().find(({ msg }) => msg === "worker started")?.pool ?? null;
}
