import { hostname } from "node:os";
import type { Db } from "../server/db/database.ts";

/**
 * A sign of life of this worker process, so that pages can tell whether any worker is alive and others take up
 * its jobs when it is not. `poolId` is the queue's own name for it, in which it locks jobs. One that was given
 * up while its host slept is one again, as long as it beats.
 */
export async function beatPool(db: Db, poolId: string): Promise<void> {
  await db.query(
    `insert into worker_pools (pool_id, host) values ($1, $2)
     on conflict (pool_id) do update set last_heartbeat_at = clock_timestamp(), lost_at = null`,
    [poolId, hostname()],
  );
}

export async function markPoolStopped(db: Db, poolId: string): Promise<void> {
  await db.query("update worker_pools set stopped_at = clock_timestamp() where pool_id = $1", [poolId]);
}
