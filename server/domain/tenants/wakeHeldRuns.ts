import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { enqueueRuns } from "../operations/enqueue.ts";
import type { HoldPlace } from "./holdRows.ts";

/** Runs queued again in one transaction, which must not grow without bound. */
const batch = 500;

/**
 * Queues again what waited for a hold of the tenant, or of the workspace when there is none; returns how many,
 * a batch at most. Only those: a run that waits to be retried keeps its time, one that no worker has looked at
 * yet has its job already, and what a tenant's own hold keeps waits on for that. The transaction that ends the
 * hold must hold its key, so that no run is deferred behind its back.
 */
export async function wakeHeldRuns(tx: Tx, { workspaceId, tenantId }: HoldPlace): Promise<number> {
  const woken = await tx.query<{ id: string }>(
    `update operation_runs set waiting_reason = null
     where id in (
       select r.id from operation_runs r
       where r.workspace_id = $1 and r.waiting_reason = 'hold'
         and ($2::uuid is null or r.tenant_id = $2)
         and not exists (select 1 from hold_over(r))
       order by r.id limit $3)
     returning id`,
    [workspaceId, tenantId, batch],
  );
  await enqueueRuns(
    tx,
    woken.map(({ id }) => id),
  );
  return woken.length;
}

/**
 * The batches after the first one, each in a transaction of its own, once the hold's end is committed. Should
 * it be cut short, what is left looks again by itself within minutes.
 */
export async function wakeTheRest(db: Db, place: HoldPlace, first: number): Promise<number> {
  let woken = first;
  for (let last = first; last === batch; woken += last)
    last = await retrying(() => db.transaction((tx) => wakeHeldRuns(tx, place), workerBounds));
  return woken;
}
