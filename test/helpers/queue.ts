import { runOnce } from "graphile-worker";
import { pino } from "pino";
import { makeWorkerDeps, type WorkerDeps } from "../../jobs/deps.ts";
import { makeQueueLogger } from "../../jobs/queueLogger.ts";
import { makeTaskList } from "../../jobs/taskList.ts";
import type { Db } from "../../server/db/database.ts";
import type { CredentialKey } from "../../server/domain/connections/sealing.ts";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";

/** What seals credentials in tests. */
export const credentialKeys: CredentialKey[] = [{ id: "test", key: Buffer.alloc(32, 7) }];

/** The worker's own parts, against a sandbox; the provider's pauses are short. */
export function makeTestWorker(db: Db, sandboxUrl: string): WorkerDeps {
  return makeWorkerDeps({
    db,
    credentialKeys,
    log: pino({ level: "silent" }),
    provider: makeGraphProvider({
      graphUrl: sandboxUrl,
      loginUrl: sandboxUrl,
      timings: { backoffMs: 1, secondMs: 1 },
    }),
  });
}

/** Works off every job that is due, in the real queue, with the real task list; returns when none is left. */
export async function drainQueue(deps: WorkerDeps): Promise<void> {
  await runOnce({
    pgPool: deps.db.pool,
    taskList: makeTaskList(deps),
    parsedCronItems: [],
    noHandleSignals: true,
    concurrency: 4,
    logger: makeQueueLogger(deps.log),
  });
}

/** Brings waiting retries and re-checks forward, as if their time had come. */
export async function makeJobsDue(db: Db): Promise<void> {
  await db.query("update graphile_worker._private_jobs set run_at = now() where locked_at is null");
}

/** Every job in the queue, whether due or not. */
export async function listJobs(db: Db): Promise<{ key: string | null; attempts: number }[]> {
  return db.query("select key, attempts from graphile_worker._private_jobs order by id");
}
