import { hostname } from "node:os";
import type { Db } from "../server/db/database.ts";
import { outlasting } from "../server/db/outlasting.ts";

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

/** Jobs that the queue could not say its last word on go back to it: delivered again, they find their run as it is. */
export async function markPoolStopped(db: Db, poolId: string): Promise<void> {
  await outlasting(() =>
    db.transaction(async (tx) => {
      await tx.query("update worker_pools set stopped_at = clock_timestamp() where pool_id = $1", [poolId]);
      await tx.query("select graphile_worker.force_unlock_workers(array[$1])", [poolId]);
    }),
  );
}
