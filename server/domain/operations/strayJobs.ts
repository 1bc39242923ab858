import type { Db } from "../../db/database.ts";

/**
 * What the queue has no function for: its own table is written to here and nowhere else. Its version is pinned,
 * and a test drives both against it.
 */

/** Jobs dealt with in one go; the rescuer comes again soon. */
const batch = 100;

/**
 * Gives jobs back that have been locked for that long (milliseconds) and that nobody works on: the database went
 * away while a pool that lives took the job or was done with it, or the pool died before it was known. Should
 * somebody be at it after all, the run's own state tells the two apart. Returns how many.
 */
export async function unlockStrayJobs(db: Db, lostAfter: number): Promise<number> {
  const rows = await db.query(
    `update graphile_worker._private_jobs set locked_at = null, locked_by = null
     where id in (
       select id from graphile_worker._private_jobs j
       where locked_at < clock_timestamp() - make_interval(secs => $1)
         and not exists (
           select 1 from operation_runs r
           join worker_pools p on p.pool_id = j.locked_by and p.stopped_at is null and p.lost_at is null
           where r.status = 'running' and r.job_id = j.id::text and not r.awaits_children)
       order by id limit $2 for update skip locked)
     returning id`,
    [lostAfter / 1_000, batch],
  );
  return rows.length;
}

/**
 * Deletes jobs that will never be delivered again: their tries are used up, or another job has taken their place
 * and the worker that was at them is gone. A run that was left without one by it is found by
 * `enqueueForgotten`. Returns how many.
 */
export async function deleteSpentJobs(db: Db): Promise<number> {
  const rows = await db.query(
    `delete from graphile_worker._private_jobs where id in (
       select id from graphile_worker._private_jobs
       where locked_at is null and attempts >= max_attempts
       order by id limit $1 for update skip locked)
     returning id`,
    [batch],
  );
  return rows.length;
}
