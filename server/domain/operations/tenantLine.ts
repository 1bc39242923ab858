import type { Tx } from "../../db/database.ts";
import { enqueueRuns } from "./enqueue.ts";

/**
 * Makes what is decided about the tenants' lines exclusive until the transaction ends: of two runs that would
 * begin at one tenant, the second to be judged sees what became of the first. Before any row lock.
 */
export async function takeTurns(tx: Tx, runIds: readonly string[]): Promise<void> {
  await lockTurns(tx, runIds, "pg_advisory_xact_lock");
}

/**
 * Before runs make room, by ending or to be tried again later, and before any row lock: whoever is being told
 * to wait for them has been recorded as waiting by then, or sees that they no longer run. Those who make room
 * beside each other do not wait for one another.
 */
export async function shareTurns(tx: Tx, runIds: readonly string[]): Promise<void> {
  await lockTurns(tx, runIds, "pg_advisory_xact_lock_shared");
}

async function lockTurns(
  tx: Tx,
  runIds: readonly string[],
  lock: "pg_advisory_xact_lock" | "pg_advisory_xact_lock_shared",
): Promise<void> {
  await tx.query(
    `select ${lock}(key) from (
       select distinct turn_key(tenant_id) as key from operation_runs
       where id = any ($1::uuid[]) and tenant_id is not null order by key) as turns`,
    [runIds],
  );
}

/**
 * Brings forward who is next in line where runs have made room, named once for each: as many as the tenant may
 * have at once, and the first of those that wait to write. A run that has not been looked at yet goes to the
 * front of the queue by this too, however many of its tenant stood before it when it was asked for.
 */
export async function wakeNext(tx: Tx, tenantIds: readonly string[]): Promise<void> {
  if (tenantIds.length === 0) return;
  const rows = await tx.query<{ id: string }>(
    `select n.id
     from (select tenant_id, count(*) as ended from unnest($1::uuid[]) as tenant_id group by tenant_id) t
     cross join lateral (
       (select o.id from operation_runs o
        where o.tenant_id = t.tenant_id and o.status = 'queued'
          and coalesce(o.waiting_reason, 'concurrency') = 'concurrency'
          and (o.next_attempt_at is null or o.next_attempt_at <= clock_timestamp())
        order by queue_priority(o.trigger), o.id
        limit greatest(0, least(t.ended, $2::integer - (
          select count(*) from operation_runs b where b.tenant_id = t.tenant_id and b.status = 'running'))))
       union all
       (select o.id from operation_runs o
        where o.tenant_id = t.tenant_id and o.waiting_reason = 'turn' order by o.id limit 1)
     ) n`,
    [tenantIds, tx.rules.tenantConcurrency],
  );
  await enqueueRuns(
    tx,
    rows.map(({ id }) => id),
  );
}
