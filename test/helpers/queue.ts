import { EventEmitter } from "node:events";
import { runOnce, type TaskList, type WorkerEvents } from "graphile-worker";
import { type Logger, pino } from "pino";
import { makeWorkerDeps, type WorkerDeps } from "../../jobs/deps.ts";
import { makeQueueLogger } from "../../jobs/queueLogger.ts";
import { makeTaskList } from "../../jobs/taskList.ts";
import type { Db } from "../../server/db/database.ts";
import type { CredentialKey } from "../../server/domain/connections/sealing.ts";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";
import { until } from "./interleaving.ts";

/** What seals credentials in tests. */
export const credentialKeys: CredentialKey[] = [{ id: "test", key: Buffer.alloc(32, 7) }];

/** The worker's own parts, against a sandbox; the provider's pauses are short. */
export function makeTestWorker(
  db: Db,
  sandboxUrl: string,
  given: { log?: Logger; graphUrl?: string } = {},
): WorkerDeps {
  return makeWorkerDeps({
    db,
    credentialKeys,
    log: given.log ?? pino({ level: "silent" }),
    provider: makeGraphProvider({
      graphUrl: given.graphUrl ?? sandboxUrl,
      loginUrl: sandboxUrl,
      timings: { backoffMs: 1, secondMs: 1 },
    }),
  });
}

/**
 * Works off every job that is due, in the real queue; returns when none is left. Another task list than the
 * real one is for controls.
 */
export async function drainQueue(
  deps: WorkerDeps,
  taskList: TaskList = makeTaskList(deps),
  concurrency = 4,
): Promise<void> {
  const taken: string[] = [];
  const events: WorkerEvents = new EventEmitter();
  events.on("job:start", ({ job }) => taken.push(job.id));
  await runOnce({
    events,
    pgPool: deps.db.pool,
    taskList,
    parsedCronItems: [],
    noHandleSignals: true,
    concurrency,
    logger: makeQueueLogger(deps.log),
  });
  // Graphile Worker does not wait for its own last word on a job (deleted, or to be tried again when).
  await until(async () => {
    const open = await deps.db.query(
      "select 1 from graphile_worker._private_jobs where id = any ($1::bigint[]) and locked_at is not null",
      [taken],
    );
    return open.length === 0;
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

/** The jobs of one run, whether due or not. `lastError` is what the queue itself keeps. */
export function listJobsOf(
  db: Db,
  runId: string,
): Promise<{ id: string; attempts: number; maxAttempts: number; runAt: Date; lastError: string | null }[]> {
  return db.query(
    `select id::text, attempts, max_attempts as "maxAttempts", run_at as "runAt", last_error as "lastError"
     from graphile_worker._private_jobs where payload ->> 'runId' = $1 order by id`,
    [runId],
  );
}

/** Puts a job into the queue past all of our code, as anybody who can write to the database could. */
export async function addRawJob(
  db: Db,
  job: { task: string; payload: unknown; key?: string },
): Promise<{ id: string }> {
  const [added] = await db.query<{ id: string }>(
    "select id::text from graphile_worker.add_job($1, $2::json, job_key := $3)",
    [job.task, JSON.stringify(job.payload), job.key ?? null],
  );
  if (added === undefined) throw new Error("The queue took no job.");
  return added;
}
