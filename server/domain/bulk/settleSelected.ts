import { z } from "zod";
import type { Tx } from "../../db/database.ts";
import type { EffectSummary } from "../operations/runEffect.ts";
import type { RecordSettled } from "../operations/settleWrite.ts";
import type { SelectedResult } from "./selectedItems.ts";

/** What a writing call of a bulk run notes of the policy it is for. */
const noteShape = z.object({
  selectionId: z.uuid(),
  position: z.int().positive(),
  notes: z.array(z.string()),
});
export type SelectedNote = z.infer<typeof noteShape>;

/** What a settled call means for its policy; one of which it is not known changes nothing yet. */
export const recordSettledPolicy: RecordSettled = async (tx, { runId, item, action, state, reason }) => {
  const note = noteShape.parse(item);
  if (state === "unknown") return nothing;
  if (state === "failed") {
    const what = action === "delete" ? "Deleting it was refused" : "Assigning it was refused";
    return settleSelected(tx, note, "failed", `${what}: ${reason ?? "Microsoft gave no reason"}`);
  }
  if (action === "delete") await markGone(tx, runId, note);
  return settleSelected(tx, note, action === "delete" ? "deleted" : "assigned", null);
};

type Result = Exclude<SelectedResult, "unknown" | "not_started">;

/** Writes what became of a policy, and takes back what it counted as before. */
export async function settleSelected(
  tx: Tx,
  { selectionId, position, notes }: SelectedNote,
  result: Result,
  reason: string | null,
): Promise<EffectSummary> {
  const [before] = await tx.query<{ result: Result | null }>(
    "select result from bulk_items where selection_id = $1 and position = $2 for update",
    [selectionId, position],
  );
  if (before === undefined || before.result === result) return nothing;
  await tx.query(
    `update bulk_items set result = $3, result_reason = left($4, 1000), notes = $5,
       settled_at = clock_timestamp()
     where selection_id = $1 and position = $2`,
    [selectionId, position, result, reason, notes],
  );
  return before.result === null
    ? { items: 1, counts: { [result]: 1 } }
    : { items: 0, counts: { [before.result]: -1, [result]: 1 } };
}

/** Makes all of which nothing is known refused, for one reason that concerns them all. */
export async function refuseSelected(tx: Tx, selectionId: string, reason: string): Promise<EffectSummary> {
  const rows = await tx.query(
    `update bulk_items set result = 'refused', result_reason = left($2, 1000), settled_at = clock_timestamp()
     where selection_id = $1 and result is null returning position`,
    [selectionId, reason],
  );
  return { items: rows.length, counts: { refused: rows.length } };
}

const nothing: EffectSummary = { items: 0, counts: {} };

/** The inventory need not wait for the next sync to know. */
async function markGone(tx: Tx, runId: string, { selectionId, position }: SelectedNote): Promise<void> {
  await tx.query(
    `update inventory_items i set gone_since = clock_timestamp(), gone_run_id = $1
     from bulk_items b where b.selection_id = $2 and b.position = $3 and i.id = b.inventory_item_id
       and i.gone_since is null`,
    [runId, selectionId, position],
  );
}
