import type { Tx } from "../../db/database.ts";

/**
 * Puts jobs for queued runs into Graphile Worker's queue, on the caller's transaction. The job carries the
 * run's id and nothing else; its key is the run's, so a run has one waiting job at most, and one that waits
 * for later is brought forward. Runs that are not queued get none. Attempts are counted on the run alone: the
 * queue's own (25, its default) are only for deliveries that could not even be recorded. What people wait for
 * goes before what a timetable asked for; within that, a run goes the later the more of its tenant stand before
 * it, so that a tenant with hundreds keeps nobody else's first one waiting.
 */
export async function enqueueRuns(
  tx: Tx,
  runIds: readonly string[],
  options: { runAt?: Date } = {},
): Promise<void> {
  if (runIds.length === 0) return;
  // Not graphile_worker.add_job once per run: releasing a hold may wake hundreds in one transaction.
  await tx.query(
    `select count(*) from graphile_worker.add_jobs((
       select array_agg(row(r.operation, json_build_object('runId', r.id), null, $2::timestamptz,
         25, 'run:' || r.id, queue_priority(r.trigger) * 1000 + runs_before(r), null)::graphile_worker.job_spec)
       from operation_runs r where r.id = any ($1::uuid[]) and r.status = 'queued'
       having count(*) > 0))`,
    [runIds, options.runAt ?? null],
  );
}
