import type { PolicyType } from "../../provider/policyTypes.ts";
import { digestOfJson } from "../digest.ts";
import type { RestoreOptions } from "./options.ts";
import type { PlannedItem } from "./planItem.ts";

/** One item of a plan, in its place: what a preview freezes. */
export type PlanRow = PlannedItem & {
  /** Counts from 1; items are restored in this order. */
  position: number;
  backupItemId: string;
  type: PolicyType;
  name: string;
  matchKey: string;
};

/** The columns of `PlanRow`. */
export const planRowColumns = `i.position, i.backup_item_id as "backupItemId", i.type, i.name,
  i.match_key as "matchKey", i.action, i.reason, i.provider_id as "providerId",
  i.expected_hash as "expectedHash", i.desired, i.assignments, i.diff, i.notes`;

export function digestOfRow(row: PlanRow): string {
  const { position, backupItemId, type, name, matchKey, action, reason, providerId, expectedHash } = row;
  const { desired, assignments, diff, notes } = row;
  const place = { position, backupItemId, type, name, matchKey };
  return digestOfJson({
    ...place,
    action,
    reason,
    providerId,
    expectedHash,
    desired,
    assignments,
    diff,
    notes,
  });
}

/** Stands for all that was previewed. `rows` are the items' digests in order. */
export function digestOfPlan(
  plan: { sourceSetId: string; options: RestoreOptions },
  rows: readonly string[],
): string {
  const { sourceSetId, options } = plan;
  return digestOfJson({ sourceSetId, options, rows });
}
