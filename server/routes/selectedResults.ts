import type { Reader } from "../db/database.ts";
import {
  countResults,
  type ListedSelected,
  listSelectedItems,
  type SelectedResult,
  selectedResults,
} from "../domain/bulk/selectedItems.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import type { ResultRow, Results } from "./runItems.ts";

const badges = {
  assigned: { tone: "ok", icon: "succeeded", label: "Assigned" },
  deleted: { tone: "ok", icon: "succeeded", label: "Deleted" },
  unchanged: { tone: "wait", icon: "skipped", label: "Unchanged" },
  refused: { tone: "block", icon: "blocked", label: "Refused" },
  failed: { tone: "fail", icon: "failed", label: "Failed" },
  unknown: { tone: "part", icon: "warning", label: "Not known" },
  not_started: { tone: "wait", icon: "queued", label: "Not started" },
} as const satisfies Record<SelectedResult, Badge>;

/** What became of each policy of a selection. `addressWith` makes the address of the page with other filters. */
export async function readSelectedResults(
  reader: Reader,
  selectionId: string,
  query: { result: string | null; after: number | null },
  addressWith: (query: { result: SelectedResult | null; after: number | null }) => string,
): Promise<Results> {
  const result = selectedResults.find((one) => one === query.result) ?? null;
  const { after } = query;
  const [counts, { items, next }] = await Promise.all([
    countResults(reader, selectionId),
    listSelectedItems(reader, selectionId, result, after),
  ]);
  const chip = (one: SelectedResult | null, label: string) => ({
    label,
    href: addressWith({ result: one, after: null }),
    isCurrent: one === result,
  });
  const present = selectedResults.filter((one) => counts[one] > 0 || one === result);
  return {
    chips: [
      chip(null, "All"),
      ...present.map((one) => chip(one, `${badges[one].label} ${counts[one].toLocaleString("en-GB")}`)),
    ],
    rows: items.map(toRow),
    pages: {
      newer: after === null ? null : addressWith({ result, after: null }),
      older: next === null ? null : addressWith({ result, after: next }),
    },
  };
}

function toRow({ name, type, notes, result, reason, settledAt }: ListedSelected): ResultRow {
  const why = [...(reason === null ? [] : [reason]), ...notes].join(" ");
  return { name, type: typeLabels[type], badge: badges[result], reason: why === "" ? null : why, settledAt };
}
