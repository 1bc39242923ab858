import { z } from "zod";
import type { Tx } from "../../db/database.ts";
import type { PolicyWrite } from "../../provider/port.ts";
import type { EffectSummary } from "../operations/runEffect.ts";
import type { RecordSettled } from "../operations/settleWrite.ts";

/** What each writing call of a restore notes of the item it is for. `last`: no other call follows for it. */
const itemShape = z.object({
  planId: z.uuid(),
  position: z.int().positive(),
  result: z.enum(["created", "updated"]),
  last: z.boolean(),
});
type CallNote = z.infer<typeof itemShape>;
export type ItemNote = Omit<CallNote, "last">;

/**
 * What a settled call means for its item. The first that was carried out makes it `created` or `updated`; one
 * that was refused makes it `failed`, also after others were carried out. A call of which it is not known
 * changes nothing yet.
 */
export const recordSettledItem: RecordSettled = async (tx, { item, action, state, reason }) => {
  const note = itemShape.parse(item);
  if (state === "unknown") return nothing;
  const before = await lockResult(tx, note);
  if (before === "failed" || (state === "done" && before !== null)) return nothing;
  if (state === "done") {
    await writeResult(tx, note, note.result, null);
    return { items: 1, counts: { [note.result]: 1 } };
  }
  return fail(tx, note, before, `${partOf(action, before)}: ${reason ?? "Microsoft gave no reason"}`);
};

/**
 * Makes an item `failed` for a reason of our own: what it refers to is not there, or it reads back otherwise
 * than it was written. The summary takes back what had been counted for it.
 */
export async function failItem(tx: Tx, item: ItemNote, reason: string): Promise<EffectSummary> {
  const before = await lockResult(tx, item);
  return before === "failed" ? nothing : fail(tx, item, before, reason);
}

const itemsPerEffect = 500;

/** How many effects `settleUnwritten` takes. */
export function partsOf(unwritten: number): number {
  return Math.ceil(unwritten / itemsPerEffect);
}

/** Some of the items that nothing is written for: they end as they were planned. */
export async function settleUnwritten(tx: Tx, planId: string): Promise<EffectSummary> {
  const rows = await tx.query<{ result: "unchanged" | "refused"; n: number }>(
    `with settled as (
       update restore_items set result = action, result_reason = left(reason, 1000),
         settled_at = clock_timestamp()
       where plan_id = $1 and position in (
         select position from restore_items
         where plan_id = $1 and action in ('unchanged', 'refused') and result is null
         order by position limit $2)
       returning result)
     select result, count(*)::integer as n from settled group by result`,
    [planId, itemsPerEffect],
  );
  return {
    items: rows.reduce((sum, { n }) => sum + n, 0),
    counts: Object.fromEntries(rows.map(({ result, n }) => [result, n])),
  };
}

const nothing: EffectSummary = { items: 0, counts: {} };

type Result = ItemNote["result"] | "failed" | null;

async function fail(tx: Tx, item: ItemNote, before: Result, reason: string): Promise<EffectSummary> {
  await writeResult(tx, item, "failed", reason);
  if (before === null) return { items: 1, counts: { failed: 1 } };
  return { items: 0, counts: { [before]: -1, failed: 1 } };
}

/** What was refused, and what had been done by then. */
function partOf(action: PolicyWrite["action"], before: Result): string {
  const part = {
    create: "creating it was refused",
    update: "changing it was refused",
    actions: "its actions were refused",
    definitions: "its settings were refused",
    assign: "its assignments were refused",
    delete: "deleting it was refused",
  }[action];
  const text = before === null ? part : `${before}, but ${part}`;
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

async function lockResult(tx: Tx, { planId, position }: ItemNote): Promise<Result> {
  const [row] = await tx.query<{ result: Result }>(
    "select result from restore_items where plan_id = $1 and position = $2 for update",
    [planId, position],
  );
  if (row === undefined) throw new Error(`Plan ${planId} has no item ${position}.`);
  return row.result;
}

async function writeResult(
  tx: Tx,
  { planId, position }: ItemNote,
  result: Exclude<Result, null>,
  reason: string | null,
): Promise<void> {
  await tx.query(
    `update restore_items set result = $3, result_reason = left($4, 1000), settled_at = clock_timestamp()
     where plan_id = $1 and position = $2`,
    [planId, position, result, reason],
  );
}
