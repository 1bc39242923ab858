import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { countBackupItems, type ListedBackupItem, listBackupItems } from "../domain/backups/backupItems.ts";
import { type BackupSet, findBackupSetFor } from "../domain/backups/backupSets.ts";
import { countMatchingItems } from "../domain/backups/chosenItems.ts";
import { type Badge, counted } from "../domain/operations/runWords.ts";
import { pathOfPointer } from "../domain/restores/secrets.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { type PolicyType, policyTypes, typeLabels } from "../provider/policyTypes.ts";
import { badgeOfSet, kindLabels, skippedInWords, type TypeOption, typeOptions } from "./backupWords.ts";
import { SearchText } from "./searchText.ts";

const Query = z.object({
  type: z.enum(policyTypes).nullable().catch(null),
  text: SearchText,
  after: Id.nullable().catch(null),
});

export type ItemsQuery = z.infer<typeof Query>;

export function parseItemsQuery(query: unknown): ItemsQuery {
  return Query.parse(query);
}

export type BackupPage = {
  set: Pick<BackupSet, "id" | "tenantName" | "takenAt" | "completedAt"> & { by: string; kind: string };
  address: string;
  tenantAddress: string | null;
  runAddress: string | null;
  /** Restoring asks for a complete set. */
  restoreAddress: string | null;
  badge: Badge;
  sentences: string[];
  isLive: boolean;
  counts: { label: string; items: number | null; why: string | null }[];
  list: ItemList;
};

export type ItemList = {
  types: TypeOption[];
  text: string;
  rows: ItemRow[];
  pages: { newer: string | null; older: string | null };
  /** What the filters leave, and where to restore all of that; null without filters. */
  matching: { words: string; address: string } | null;
  empty: string | null;
};

export type ItemRow = Pick<ListedBackupItem, "id" | "name"> & {
  address: string;
  type: string;
  assigned: string;
  notCaptured: string[];
};

/** Undefined where the viewer may not see the set. */
export async function readBackupPage(
  reader: Reader,
  viewer: Viewer,
  setId: string,
  query: ItemsQuery,
): Promise<BackupPage | undefined> {
  const set = await findBackupSetFor(reader, viewer, setId);
  if (set === undefined) return undefined;
  const counts = await countBackupItems(reader, setId);
  const { id, tenantName, takenAt, completedAt, tenantId, state } = set;
  const total = counts.reduce((sum, { items }) => sum + items, 0);
  return {
    set: {
      id,
      tenantName,
      takenAt,
      completedAt,
      by: set.initiatorName ?? "System",
      kind: kindLabels[set.kind],
    },
    address: paths.backup(id),
    tenantAddress: may(viewer, "tenant.view", tenantId) ? paths.tenant(tenantId) : null,
    runAddress: may(viewer, "operations.view", tenantId) ? paths.run(id) : null,
    restoreAddress: state === "complete" && total > 0 ? `${paths.backup(id)}/restores/new` : null,
    badge: badgeOfSet(set),
    sentences: sentencesFor(set, total),
    isLive: state === "being_taken",
    counts: countRows(set, counts),
    list: await readItems(reader, set, query),
  };
}

function sentencesFor({ state, skipped, types }: BackupSet, total: number): string[] {
  const held = counted(total, "policy", "policies");
  const of = counted(types.length, "type", "types");
  switch (state) {
    case "being_taken":
      return [`It is being taken: ${held} of ${of} so far. It can be restored once it is complete.`];
    case "incomplete":
      return [
        `The run that took it ended before all was in it: ${held}. It cannot be restored; take another.`,
      ];
    case "complete": {
      const left = skipped.map((one) => `${skippedInWords(one).label.toLowerCase()} (${one.why})`);
      return [`${held} of ${of}.`, ...(left.length === 0 ? [] : [`Left out: ${left.join("; ")}.`])];
    }
  }
}

function countRows(
  { types, skipped }: BackupSet,
  counts: readonly { type: PolicyType; items: number }[],
): BackupPage["counts"] {
  const ofTypes = types.map((type) => {
    const why = skipped.find((one) => one.type === type)?.why ?? null;
    const items = counts.find((count) => count.type === type)?.items ?? 0;
    return { label: typeLabels[type], items: why === null ? items : null, why };
  });
  const others = skipped.filter(({ type }) => !types.some((known) => known === type));
  return [...ofTypes, ...others.map((one) => ({ ...skippedInWords(one), items: null }))];
}

async function readItems(reader: Reader, set: BackupSet, query: ItemsQuery): Promise<ItemList> {
  const { type, text, after } = query;
  const isFiltered = type !== null || text !== null;
  const [{ items, next }, matching] = await Promise.all([
    listBackupItems(reader, set.id, query, after),
    isFiltered ? countMatchingItems(reader, set.id, query) : 0,
  ]);
  const at = paths.backup(set.id);
  return {
    types: typeOptions(type).filter(({ value }) => set.types.some((held) => held === value)),
    text: text ?? "",
    rows: items.map((item) => toRow(set.id, item)),
    pages: {
      newer: after === null ? null : withQuery(at, { type, text }),
      older: next === null ? null : withQuery(at, { type, text, after: next }),
    },
    matching:
      matching === 0 || set.state !== "complete"
        ? null
        : {
            words: `Restore all ${counted(matching, "that matches", "that match")}`.replace(
              /all 1/,
              "the one",
            ),
            address: withQuery(`${at}/restores/new`, { type, text }),
          },
    empty: items.length > 0 ? null : isFiltered ? "No policy matches these filters." : "Nothing is in it.",
  };
}

function toRow(setId: string, item: ListedBackupItem): ItemRow {
  const { id, name, type, assigned, notCaptured } = item;
  return {
    id,
    name,
    address: paths.backupItem(setId, id),
    type: typeLabels[type],
    assigned:
      assigned === null ? "" : assigned === 0 ? "nobody" : counted(assigned, "assignment", "assignments"),
    notCaptured: notCaptured.map(pathOfPointer),
  };
}
