import type { Tx } from "../../db/database.ts";
import { enqueueRuns } from "../operations/enqueue.ts";

/** More than these look again by themselves within minutes; one transaction must not grow without bound. */
const wokenAtOnce = 10_000;

/**
 * Queues again what waited for the tenant's hold; returns how many. Only those: a run that waits to be retried
 * keeps its time, and one that no worker has looked at yet has its job already. The transaction must hold the
 * tenant's key, so that no run is deferred behind its back.
 */
export async function wakeHeldRuns(tx: Tx, tenantId: string): Promise<number> {
  const woken = await tx.query<{ id: string }>(
    `update operation_runs set waiting_reason = null
     where id in (
       select id from operation_runs
       where tenant_id = $1 and status = 'queued' and waiting_reason = 'hold' order by id limit $2)
     returning id`,
    [tenantId, wokenAtOnce],
  );
  await enqueueRuns(
    tx,
    woken.map(({ id }) => id),
  );
  return woken.length;
}
