import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { Ending } from "../operations/ending.ts";
import { capitalised, counted } from "../operations/runWords.ts";

/** How a selected policy ended. `unknown`: a call for it was sent, and whether it was carried out is not known. */
export const selectedResults = [
  "assigned",
  "deleted",
  "unchanged",
  "refused",
  "failed",
  "unknown",
  "not_started",
] as const;
export type SelectedResult = (typeof selectedResults)[number];

export type ListedSelected = {
  position: number;
  type: PolicyType;
  name: string;
  notes: string[];
  result: SelectedResult;
  reason: string | null;
  settledAt: Date | null;
};

/** The selection that a run works on. Whoever may see the run may see what it did. */
export async function findSelectionOfRun(reader: Reader, runId: string): Promise<string | undefined> {
  const [selection] = await reader.query<{ id: string }>("select id from bulk_selections where run_id = $1", [
    runId,
  ]);
  return selection?.id;
}

export async function countResults(
  reader: Reader,
  selectionId: string,
): Promise<Record<SelectedResult, number>> {
  const rows = await reader.query<{ result: SelectedResult; n: number }>(
    `select ${resultOf} as result, count(*)::integer as n from bulk_items i ${joins}
     where i.selection_id = $1 group by 1`,
    [selectionId],
  );
  const counts = { ...none };
  for (const { result, n } of rows) counts[result] = n;
  return counts;
}

const itemsPerPage = 50;

/** A page of them in their order; `after` is a position. */
export async function listSelectedItems(
  reader: Reader,
  selectionId: string,
  result: SelectedResult | null,
  after: number | null,
): Promise<{ items: ListedSelected[]; next: number | null }> {
  const rows = await reader.query<ListedSelected>(
    `select i.position, i.type, i.name, i.notes, ${resultOf} as result, i.result_reason as reason,
       i.settled_at as "settledAt"
     from bulk_items i ${joins}
     where i.selection_id = $1 and ($2::text is null or ${resultOf} = $2)
       and ($3::integer is null or i.position > $3)
     order by i.position limit $4`,
    [selectionId, result, after, itemsPerPage + 1],
  );
  const items = rows.slice(0, itemsPerPage);
  return { items, next: rows.length > itemsPerPage ? (items.at(-1)?.position ?? null) : null };
}

type ReachedEnd = Extract<Ending, { outcome: "succeeded" | "partially_succeeded" | "failed" }>;

/** How a run that has come to the end of its selection has ended, by what became of the policies. */
export function endingOfSelected(results: Record<SelectedResult, number>): ReachedEnd {
  const { assigned, deleted, unchanged, refused, failed } = results;
  const unknown = results.unknown + results.not_started;
  if (refused + failed + unknown === 0) return { outcome: "succeeded" };
  const parts = [
    ...(failed > 0 ? [`${counted(failed, "policy", "policies")} failed`] : []),
    ...(refused > 0 ? [`${counted(refused, "policy was", "policies were")} refused`] : []),
    ...(unknown > 0 ? [`of ${counted(unknown, "policy", "policies")} it is not known what became`] : []),
  ];
  const done = assigned + deleted;
  const message = `${capitalised(parts.join(", "))}; ${counted(done, "policy was", "policies were")} changed.`;
  return done + unchanged + unknown === 0
    ? { outcome: "failed", code: "nothing_done", message }
    : { outcome: "partially_succeeded", message };
}

const none: Record<SelectedResult, number> = {
  assigned: 0,
  deleted: 0,
  unchanged: 0,
  refused: 0,
  failed: 0,
  unknown: 0,
  not_started: 0,
};

const joins = `left join lateral (
    select true as "isUnknown" from bulk_selections s join effects e on e.run_id = s.run_id
    where s.id = i.selection_id and e.state = 'unknown'
      and e.key in ('item:' || i.position || ':assign', 'item:' || i.position || ':delete') limit 1
  ) u on true`;

const resultOf = `coalesce(i.result, case when u."isUnknown" then 'unknown' end, 'not_started')`;
