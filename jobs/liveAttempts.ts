import type { Db } from "../server/db/database.ts";
import { beatRuns } from "../server/domain/operations/heartbeat.ts";
import { findDenied } from "../server/domain/operations/recheckRuns.ts";
import type { Run } from "../server/domain/operations/run.ts";
import { RunStopped } from "../server/domain/operations/runEffect.ts";

export type LiveAttempt = { run: Run; signal: AbortSignal; end(): void };

/** The attempts this process is working on: each has a signal of its own, and all are kept alive together. */
export type LiveAttempts = {
  /** `poolSignal` is the queue's: one per worker pool, aborted when it has to stop. */
  open(run: Run, poolSignal: AbortSignal | undefined): LiveAttempt;
  /** Writes signs of life; an attempt that has been replaced meanwhile has its signal aborted. */
  beat(db: Db): Promise<void>;
  /** Aborts those that would be denied their next effect. What becomes of them is the gate's to say. */
  recheck(db: Db): Promise<void>;
};

/** The reason a signal is aborted with when the run's authority seems to be gone. */
export class AuthorityDoubted extends Error {
  override readonly name = "AuthorityDoubted";
  constructor() {
    super("The run's authority seems to have ended.");
  }
}

export function makeLiveAttempts(): LiveAttempts {
  const live = new Map<string, { run: Run; controller: AbortController }>();
  return {
    open(run, poolSignal) {
      const controller = new AbortController();
      const key = `${run.id}:${run.fencingToken}`;
      live.set(key, { run, controller });
      const signals = poolSignal === undefined ? [controller.signal] : [controller.signal, poolSignal];
      return { run, signal: AbortSignal.any(signals), end: () => void live.delete(key) };
    },
    async beat(db) {
      const attempts = [...live.values()].map(({ run, controller }) => ({
        runId: run.id,
        fencingToken: run.fencingToken,
        controller,
      }));
      for (const { controller } of await beatRuns(db, attempts)) controller.abort(new RunStopped("fenced"));
    },
    async recheck(db) {
      const asked = [...live.values()];
      const denied = await findDenied(
        db,
        asked.map(({ run }) => run),
      );
      for (const { run, controller } of asked)
        if (denied.has(run.id)) controller.abort(new AuthorityDoubted());
    },
  };
}
