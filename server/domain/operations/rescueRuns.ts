import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { cancellationOf } from "./cancellation.ts";
import { enqueueRuns } from "./enqueue.ts";
import { finishRuns } from "./finishRuns.ts";
import { type Run, runColumns } from "./run.ts";

/** Runs dealt with in one go; the rescuer comes again soon. */
const batch = 100;

/**
 * Gives the jobs of worker pools back that have shown no sign of life for that long (milliseconds), so that
 * they need not wait four hours for the queue's own patience to end. Returns how many pools were lost.
 */
export async function unlockLostPools(db: Db, lostAfter: number): Promise<number> {
  return db.transaction(async (tx) => {
    const lost = await tx.query<{ id: string }>(
      `update worker_pools set lost_at = clock_timestamp()
       where stopped_at is null and lost_at is null
         and last_heartbeat_at < clock_timestamp() - make_interval(secs => $1)
       returning pool_id as id`,
      [lostAfter / 1_000],
    );
    // The queue's locks are in the name of the pool, whichever of its workers took the job.
    if (lost.length > 0)
      await tx.query("select graphile_worker.force_unlock_workers($1::text[])", [lost.map(({ id }) => id)]);
    return lost.length;
  });
}

/**
 * Takes runs up again whose attempt has shown no sign of life for that long (milliseconds): a new fencing
 * token, so that the worker, should it come back, changes nothing any more; queued for a fresh gate, which lets
 * another attempt begin, or ends the run when that was the last: `blocked` if its authority has gone meanwhile, else
 * `failed` / `worker_lost` (see `beginAttempts`). Returns how many.
 */
export async function requeueLostRuns(db: Db, lostAfter: number): Promise<number> {
  return retrying(() => db.transaction((tx) => requeueIn(tx, lostAfter), workerBounds));
}

async function requeueIn(tx: Tx, lostAfter: number): Promise<number> {
  const lost = await tx.query<Run>(
    `update operation_runs set fencing_token = fencing_token + 1, status = 'queued',
       job_id = null, last_error = 'The worker was lost.'
     where id in (
       select id from operation_runs
       where status = 'running' and not awaits_children and heartbeat_at < clock_timestamp() - make_interval(secs => $1)
       order by heartbeat_at limit $2 for no key update skip locked)
     returning ${runColumns}`,
    [lostAfter / 1_000, batch],
  );
  await recordAudit(
    tx,
    ...lost.map((run) => ({
      workspaceId: run.workspaceId,
      tenantId: run.tenantId,
      actor: null,
      action: "run.worker_lost",
      subject: { type: "run" as const, id: run.id },
      outcome: "failed" as const,
      details: { operation: run.operation, attempt: run.attempt },
    })),
  );
  await finishRuns(
    tx,
    lost.flatMap((run) => {
      const ending = cancellationOf(run);
      return ending === null ? [] : [{ run, ending }];
    }),
  );
  // Those that have just ended get none.
  await enqueueRuns(
    tx,
    lost.map(({ id }) => id),
  );
  return lost.length;
}

/**
 * Puts jobs for queued runs into the queue that have none: a worker that came back after it was given up may
 * have deleted the job of the next one, or the queue has used up its own tries (handbook 2, "Graphile Worker
 * facts"). A run and its job come in one transaction, so `lostAfter` (milliseconds) only spares new ones the
 * question. Returns how many.
 */
export async function enqueueForgotten(db: Db, lostAfter: number): Promise<number> {
  return db.transaction(async (tx) => {
    const forgotten = await tx.query<{ id: string }>(
      `select id from operation_runs r
       where status = 'queued' and requested_at < clock_timestamp() - make_interval(secs => $2)
         and not exists (select 1 from graphile_worker.jobs j where j.key = 'run:' || r.id)
       order by id limit $1 for no key update skip locked`,
      [batch, lostAfter / 1_000],
    );
    await enqueueRuns(
      tx,
      forgotten.map(({ id }) => id),
    );
    return forgotten.length;
  });
}
