import { hostname } from "node:os";
import type { Db } from "../server/db/database.ts";

/** Registers this worker process, so that pages can tell whether any worker is alive. */
export async function registerPool(db: Db, poolId: string): Promise<void> {
  await db.query("insert into worker_pools (pool_id, host) values ($1, $2)", [poolId, hostname()]);
}

export async function beatPool(db: Db, poolId: string): Promise<void> {
  await db.query("update worker_pools set last_heartbeat_at = clock_timestamp() where pool_id = $1", [
    poolId,
  ]);
}

export async function markPoolStopped(db: Db, poolId: string): Promise<void> {
  await db.query("update worker_pools set stopped_at = clock_timestamp() where pool_id = $1", [poolId]);
}
