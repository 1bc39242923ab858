import type { Db } from "../../server/db/database.ts";
import type { SandboxClient } from "../../server/demo/sandbox/client.ts";
import { type } from "../races/restoring.ts";
import { type Load, policiesPerTenant } from "./load.ts";

/** What must not be there once all is over; each of these finds what is wrong, by run or tenant. */
const violations = {
  "runs that have not ended": "select id from operation_runs where status <> 'completed'",
  "runs that did not succeed":
    "select id, outcome, failure_code, reason_code from operation_runs where outcome <> 'succeeded'",
  "jobs left in the queue":
    "select id, key, locked_by, attempts from graphile_worker.jobs where task_identifier not in ('schedule_tick', 'retention')",
  "jobs left locked":
    "select id, key, locked_by, attempts from graphile_worker.jobs where locked_at is not null",
  "effects that were not settled": "select run_id, key, state from effects where state <> 'done'",
  "runs whose effects are not those that were counted": `
    select r.id, r.effects_done, r.effects_unsettled, e.n from operation_runs r
    cross join lateral (select count(*) as n from effects e where e.run_id = r.id) e
    where r.effects_done <> e.n or r.effects_unsettled <> 0`,
  // Those of an attempt that was lost were done again by the next one, and count once.
  "runs whose progress is not what their effects say": `
    select r.id, r.progress_done, e.items from operation_runs r
    cross join lateral (
      select coalesce(sum(e.items), 0) as items from effects e
      where e.run_id = r.id and (e.attempt is null or e.fencing_token = r.fencing_token)) e
    where r.operation <> 'tenants.bulk_sync' and r.progress_done <> e.items`,
  "runs whose tally is not what their effects say": `
    select r.id, r.tally, e.tally from operation_runs r
    cross join lateral (
      select coalesce(jsonb_object_agg(name, n), '{}') as tally from (
        select s.key as name, sum(s.value::integer) as n
        from effects e cross join lateral jsonb_each_text(e.summary) s
        where e.run_id = r.id and (e.attempt is null or e.fencing_token = r.fencing_token)
        group by s.key) sums) e
    where r.operation <> 'tenants.bulk_sync' and not (r.tally @> e.tally and e.tally @> r.tally)`,
  "runs that did more or less than there was to do": `
    select id, operation, progress_done, progress_total from operation_runs
    where progress_total is not null and progress_done <> progress_total`,
  "backups that hold something else than was counted": `
    select d.set_id, d.items, i.n from backup_set_details d
    cross join lateral (select count(*) as n from backup_items i where i.set_id = d.set_id) i
    where d.items <> i.n`,
  "effects without their audit entry, or with two": `
    select r.id, r.effects_done, a.n from operation_runs r
    cross join lateral (
      select count(*) as n from audit_events a
      where a.subject_id = r.id::text and a.action = 'run.effect' and a.outcome = 'done') a
    where a.n <> r.effects_done`,
  "runs that ended more than once": `
    select subject_id, count(*) from audit_events where action = 'run.succeeded' group by subject_id
    having count(*) > 1`,
  "runs whose initiator was told more than once, or never": `
    select r.id, count(n.id) from operation_runs r left join notifications n on n.run_id = r.id
    where r.authority_mode = 'actor_bound' group by r.id having count(n.id) <> 1`,
  "parents that ended otherwise than their children": `
    select p.id from operation_runs p
    where p.operation = 'tenants.bulk_sync'
      and (p.tally ->> 'synced')::integer is distinct from
        (select count(*)::integer from operation_runs c where c.parent_run_id = p.id)`,
  "tenants asked for twice by one parent": `
    select parent_run_id, tenant_id from operation_runs where parent_run_id is not null
    group by parent_run_id, tenant_id having count(*) > 1`,
} as const;

/** Everything that is wrong, under the name of what it is; nothing when all is well. */
export async function findViolations(db: Db): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const [name, sql] of Object.entries(violations)) {
    const rows = await db.query(`${sql} limit 5`);
    if (rows.length > 0) found[name] = rows;
  }
  return found;
}

/** What the provider has and what we have of it, where that is not the same or not once. */
export async function findDifferences(
  db: Db,
  control: SandboxClient,
  { tenants, restored }: Load,
): Promise<unknown[]> {
  const wrong: unknown[] = [];
  for (const tenant of tenants) {
    const rows = await db.query<{ n: number; gone: number }>(
      `select count(*)::integer as n, count(gone_since)::integer as gone from inventory_items where tenant_id = $1
         and type in ('deviceConfigurations', 'deviceCompliancePolicies')`,
      [tenant.id],
    );
    const kept = await control.listPolicies(tenant.directoryId, "deviceConfigurations");
    const others = await control.listPolicies(tenant.directoryId, "deviceCompliancePolicies");
    const expected = kept.length + others.length;
    if (rows[0]?.n !== expected || rows[0].gone !== 0)
      wrong.push({ tenant: tenant.name, ...rows[0], expected });
    if (expected > policiesPerTenant)
      wrong.push({ tenant: tenant.name, expected, more: "than were put there" });
  }
  for (const { tenant, names } of restored) {
    const kept = await control.listPolicies(tenant.directoryId, type);
    const present = kept.map(({ payload }) => String(payload.displayName)).sort();
    const assigned = kept.filter(({ assignments }) => assignments.length === 1).length;
    if (JSON.stringify(present) !== JSON.stringify([...names].sort()) || assigned !== names.length)
      wrong.push({ restored: tenant.name, present, assigned });
  }
  return wrong;
}
