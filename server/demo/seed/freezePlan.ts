import type { Tx } from "../../db/database.ts";
import type { RestoreOptions } from "../../domain/restores/options.ts";
import { planItem } from "../../domain/restores/planItem.ts";
import { digestOfPlan, digestOfRow, type PlanRow } from "../../domain/restores/planRow.ts";
import { recordPlanRows } from "../../domain/restores/recordPlan.ts";
import type { Resolver } from "../../domain/restores/resolver.ts";
import { listChosen, readSourceItems } from "../../domain/restores/sourceItems.ts";
import type { PolicyModel } from "../../provider/port.ts";
import { ofType, type Policies } from "./keepSets.ts";
import { restoredTypes } from "./pastRestores.ts";
import type { ToldRun } from "./tellRun.ts";

export type Question = {
  setId: string;
  itemIds: readonly string[] | null;
  options: RestoreOptions;
  /** What was at the tenant then. */
  present: Policies;
  resolve: Resolver;
  model: PolicyModel;
};

/** What a preview of then found, by the product's own rules. */
export async function planRows(tx: Tx, question: Question): Promise<{ rows: PlanRow[]; digest: string }> {
  const { setId, itemIds, options, present, resolve, model } = question;
  const chosen = await listChosen(tx, { setId, types: restoredTypes, itemIds });
  const sources = await readSourceItems(
    tx,
    setId,
    chosen.map(({ id }) => id),
  );
  const rows = chosen.flatMap(({ id, ...place }) => {
    const item = sources.get(id);
    if (item === undefined) return [];
    const there = ofType(present, place.type).find(({ matchKey }) => matchKey === place.matchKey) ?? null;
    const planned = planItem({ item, present: there, options, resolve, planWrites: model.planWrites });
    return [{ ...place, backupItemId: id, ...planned }];
  });
  return { rows, digest: digestOfPlan({ sourceSetId: setId, options }, rows.map(digestOfRow)) };
}

/** The plan as its preview left it. */
export async function freezePlan(
  tx: Tx,
  preview: ToldRun,
  plan: Pick<Question, "setId" | "options"> & { rows: readonly PlanRow[]; digest: string },
): Promise<void> {
  await tx.query(
    `insert into restore_plans (id, workspace_id, tenant_id, source_set_id, source_tenant_id, options, created_at)
     values ($1, $2, $3, $4, $3, $5, $6)`,
    [
      preview.id,
      preview.tenant.workspace.id,
      preview.tenant.id,
      plan.setId,
      JSON.stringify(plan.options),
      preview.begunAt[0] ?? preview.completedAt,
    ],
  );
  await recordPlanRows(tx, preview.id, plan.rows);
  await tx.query("update restore_plans set digest = $2, completed_at = $3, items = $4 where id = $1", [
    preview.id,
    plan.digest,
    preview.completedAt,
    plan.rows.length,
  ]);
}

/** What became of its items: those that were as they should be, and the first `updated` of the others. */
export async function settlePlan(tx: Tx, planId: string, run: ToldRun, updated: number): Promise<void> {
  await tx.query("update restore_plans set run_id = $2 where id = $1", [planId, run.id]);
  await tx.query(
    `update restore_items set result = case action when 'update' then 'updated' else action end, settled_at = $3
     where plan_id = $1 and (action = 'unchanged' or position in (
       select position from restore_items where plan_id = $1 and action = 'update' order by position limit $2))`,
    [planId, updated, run.completedAt],
  );
}
