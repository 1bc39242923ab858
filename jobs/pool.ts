import { hostname } from "node:os";
import type { Db } from "../server/db/database.ts";

/**
 * Registers this worker process, so that pages can tell whether any worker is alive. `workerIds` are the
 * queue's own names for its workers: should the process die, their jobs are unlocked by them.
 */
export async function registerPool(db: Db, poolId: string, workerIds: readonly string[]): Promise<void> {
  await db.query("insert into worker_pools (pool_id, host, worker_ids) values ($1, $2, $3)", [
    poolId,
    hostname(),
    workerIds,
  ]);
}

/** A pool that was given up while its host slept is one again, as long as it beats. */
export async function beatPool(db: Db, poolId: string): Promise<void> {
  await db.query(
    "update worker_pools set last_heartbeat_at = clock_timestamp(), lost_at = null where pool_id = $1",
    [poolId],
  );
}

export async function markPoolStopped(db: Db, poolId: string): Promise<void> {
  await db.query("update worker_pools set stopped_at = clock_timestamp() where pool_id = $1", [poolId]);
}
