import type { Reader } from "../db/database.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import { listPlanDiffs } from "../domain/restores/planDiffs.ts";
import { type ListedPlanItem, listPlanItems, type PlanItemFilters } from "../domain/restores/planItems.ts";
import { paths, withQuery } from "../http/paths.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import { type ShownChange, showChanges } from "./backupWords.ts";
import { actionBadges } from "./restoreWords.ts";

/** An item of a preview: what would happen to it, and the first of the fields that would change. */
type PlanRow = {
  position: number;
  name: string;
  type: string;
  badge: Badge;
  reason: string | null;
  notes: string[];
  changes: ShownChange[];
  changesInWords: string;
  address: string;
};

export type PlanRows = { rows: PlanRow[]; pages: { newer: string | null; older: string | null } };

const changesPerRow = 20;

export async function readPlanRows(
  reader: Reader,
  planId: string,
  action: PlanItemFilters["action"],
  { action: given, after }: { action: string | null; after: number | null },
): Promise<PlanRows> {
  const { items, next } = await listPlanItems(reader, planId, { action, result: null }, after);
  const changed = items.filter(({ changes }) => changes > 0).map(({ position }) => position);
  const diffs = await listPlanDiffs(reader, planId, changed, changesPerRow);
  const address = paths.restore(planId);
  return {
    rows: items.map((item) => ({
      ...{ position: item.position, name: item.name, reason: item.reason, notes: item.notes },
      type: typeLabels[item.type],
      badge: actionBadges[item.action],
      changes: showChanges(diffs.get(item.position) ?? []),
      changesInWords: changesInWords(item),
      address: `${address}/items/${item.position}`,
    })),
    pages: {
      newer: after === null ? null : withQuery(address, { action: given }),
      older: next === null ? null : withQuery(address, { action: given, after: String(next) }),
    },
  };
}

function changesInWords({ changes }: ListedPlanItem): string {
  if (changes === 1) return "1 field changes";
  return changes > changesPerRow
    ? `${changes} fields change, the first ${changesPerRow}`
    : `${changes} fields change`;
}
