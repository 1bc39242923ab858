import type { Tx } from "../../db/database.ts";
import type { EffectSummary } from "../operations/runEffect.ts";
import type { RestoreOptions } from "./options.ts";
import type { PlanRow } from "./planRow.ts";

/** A plan has the id of the run that makes it. What an earlier attempt planned is taken out again. */
export async function beginPlan(
  tx: Tx,
  plan: { id: string; sourceSetId: string; options: RestoreOptions },
): Promise<EffectSummary> {
  await tx.query(
    `insert into restore_plans (id, workspace_id, tenant_id, source_set_id, source_tenant_id, options)
     select r.id, r.workspace_id, r.tenant_id, s.id, s.tenant_id, $3
     from operation_runs r join backup_sets s on s.id = $2 and s.workspace_id = r.workspace_id
     where r.id = $1
     on conflict (id) do nothing`,
    [plan.id, plan.sourceSetId, JSON.stringify(plan.options)],
  );
  await tx.query("delete from restore_items where plan_id = $1", [plan.id]);
  return { items: 0, counts: {} };
}

export async function recordPlanRows(
  tx: Tx,
  planId: string,
  rows: readonly PlanRow[],
): Promise<EffectSummary> {
  await tx.query(
    `insert into restore_items (plan_id, position, backup_item_id, type, name, match_key, action, reason,
       provider_id, expected_hash, desired, assignments, diff, notes)
     select $1, position, "backupItemId", type, name, "matchKey", action, reason, "providerId",
       "expectedHash", nullif(desired, 'null'), nullif(assignments, 'null'), diff, notes
     from jsonb_to_recordset($2::jsonb) as i (position integer, "backupItemId" uuid, type text, name text,
       "matchKey" text, action text, reason text, "providerId" text, "expectedHash" text, desired jsonb,
       assignments jsonb, diff jsonb, notes text[])`,
    [planId, JSON.stringify(rows)],
  );
  const counts: Record<string, number> = {};
  for (const { action } of rows) counts[planned[action]] = (counts[planned[action]] ?? 0) + 1;
  return { items: rows.length, counts };
}

/** What is going to happen must not read as if it had. */
const planned = {
  create: "to_create",
  update: "to_update",
  unchanged: "unchanged",
  refused: "refused",
} as const satisfies Record<PlanRow["action"], string>;

/** Freezes the plan: from now on it is what was previewed, and its items cannot change. */
export async function completePlan(tx: Tx, planId: string, digest: string): Promise<EffectSummary> {
  await tx.query(
    `update restore_plans set digest = $2, completed_at = clock_timestamp(),
       items = (select count(*) from restore_items where plan_id = $1)
     where id = $1 and digest is null`,
    [planId, digest],
  );
  return { items: 0, counts: {} };
}

/** Only one run may carry a plan out. The gate has seen that no other does. */
export async function claimPlan(tx: Tx, planId: string, runId: string): Promise<EffectSummary> {
  await tx.query("update restore_plans set run_id = $2 where id = $1 and run_id is null", [planId, runId]);
  return { items: 0, counts: {} };
}

/** Says what has moved since the preview: the gate denies every run that would carry the plan out. */
export async function markPlanStale(tx: Tx, planId: string, reason: string): Promise<void> {
  await tx.query(
    `update restore_plans set stale_since = clock_timestamp(), stale_reason = left($2, 500)
     where id = $1 and stale_since is null`,
    [planId, reason],
  );
}
