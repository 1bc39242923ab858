import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { type BackupSet, listBackupSetsFor } from "../domain/backups/backupSets.ts";
import {
  type ComparedItem,
  type Comparison,
  countCompared,
  listCompared,
} from "../domain/backups/compareSets.ts";
import { type Badge, counted } from "../domain/operations/runWords.ts";
import { paths, withQuery } from "../http/paths.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import { kindLabels, type TypeOption, typeOptions } from "./backupWords.ts";
import { type ComparisonQuery, comparisonAddress, findSides, type Sides } from "./comparisonQuery.ts";

export type ComparisonPage = {
  set: ShownSet;
  address: string;
  /** The other sides to choose from. */
  choices: { inventory: { isSelected: boolean } | null; own: SetChoice[]; others: SetChoice[] };
  /** Null until the other side is chosen. */
  compared: Compared | null;
};

export type ShownSet = { address: string; kind: string; tenantName: string; takenAt: Date };

type SetChoice = { id: string; tenantName: string; kind: string; takenAt: Date; isSelected: boolean };

type Compared = {
  /** Null for the inventory. */
  other: ShownSet | null;
  answer: string;
  isElsewhere: boolean;
  chips: { label: string; href: string; isCurrent: boolean }[];
  types: TypeOption[];
  kept: { name: string; value: string }[];
  rows: ComparedRow[];
  pages: { newer: string | null; older: string | null };
};

type ComparedRow = Pick<ComparedItem, "name"> & {
  type: string;
  badge: Badge;
  address: string | null;
  note: string | null;
};

export async function readComparisonPage(
  reader: Reader,
  viewer: Viewer,
  set: BackupSet,
  query: ComparisonQuery,
): Promise<ComparisonPage> {
  const sides = query.with === null ? null : await findSides(reader, viewer, set, query.with);
  return {
    set: showSet(set),
    address: comparisonAddress(set.id, { with: null, comparison: null, type: null, after: null }),
    choices: await readChoices(reader, viewer, set, sides, query),
    compared: sides === null ? null : await readCompared(reader, sides, query),
  };
}

export function showSet({ id, kind, tenantName, takenAt }: BackupSet): ShownSet {
  return { address: paths.backup(id), kind: kindLabels[kind], tenantName, takenAt };
}

async function readChoices(
  reader: Reader,
  viewer: Viewer,
  set: BackupSet,
  sides: Sides | null,
  query: ComparisonQuery,
): Promise<ComparisonPage["choices"]> {
  const [own, all] = await Promise.all([
    listBackupSetsFor(reader, viewer, { tenantId: set.tenantId, kind: null }, null),
    listBackupSetsFor(reader, viewer, { tenantId: null, kind: null }, null),
  ]);
  const listed = [...own.sets, ...all.sets.filter(({ tenantId }) => tenantId !== set.tenantId)];
  const chosen = sides?.otherSet ?? null;
  if (chosen !== null && !listed.some(({ id }) => id === chosen.id)) listed.push(chosen);
  const choices = listed.filter(({ id }) => id !== set.id);
  const toChoice = ({ id, tenantName, kind, takenAt }: BackupSet): SetChoice => ({
    ...{ id, tenantName, takenAt },
    kind: kindLabels[kind],
    isSelected: id === query.with,
  });
  return {
    inventory: may(viewer, "inventory.view", set.tenantId)
      ? { isSelected: query.with === "inventory" }
      : null,
    own: choices.filter(({ tenantId }) => tenantId === set.tenantId).map(toChoice),
    others: choices.filter(({ tenantId }) => tenantId !== set.tenantId).map(toChoice),
  };
}

async function readCompared(
  reader: Reader,
  { set, other, otherSet }: Sides,
  query: ComparisonQuery,
): Promise<Compared> {
  const [counts, { items, next }] = await Promise.all([
    countCompared(reader, set.id, other),
    listCompared(reader, set.id, other, query, query.after),
  ]);
  const at = (changed: Partial<ComparisonQuery>) =>
    comparisonAddress(set.id, { ...query, after: null, ...changed });
  const chip = (comparison: Comparison | null, label: string) => ({
    label,
    href: at({ comparison }),
    isCurrent: comparison === query.comparison,
  });
  return {
    other: otherSet === null ? null : showSet(otherSet),
    answer: answerFor(counts),
    isElsewhere: otherSet !== null && otherSet.tenantId !== set.tenantId,
    chips: [
      chip(null, "All"),
      ...shownFirst.map((name) => chip(name, `${looks[name].label} ${counts[name].toLocaleString("en-GB")}`)),
    ],
    types: typeOptions(query.type),
    kept: Object.entries({ with: query.with, comparison: query.comparison }).flatMap(([name, value]) =>
      value === null ? [] : [{ name, value }],
    ),
    rows: items.map((item) => toRow(set.id, query.with ?? "", item)),
    pages: { newer: query.after === null ? null : at({}), older: next === null ? null : at({ after: next }) },
  };
}

const looks = {
  changed: { tone: "part", icon: "partial", label: "Differs" },
  removed: { tone: "wait", icon: "cancelled", label: "Only here" },
  added: { tone: "run", icon: "archive", label: "Only there" },
  unchanged: { tone: "ok", icon: "succeeded", label: "Same" },
} as const satisfies Record<Comparison, Badge>;

const shownFirst = ["changed", "removed", "added", "unchanged"] as const satisfies Comparison[];

function answerFor({ added, removed, changed, unchanged }: Record<Comparison, number>): string {
  const same = counted(unchanged, "policy is", "policies are");
  if (added + removed + changed === 0)
    return unchanged === 0 ? "There is nothing that both hold" : `No difference: ${same} the same`;
  const differ = counted(changed, "policy differs", "policies differ");
  return `${differ}, ${removed} only in this backup, ${added} only in the other; ${same} the same`;
}

function toRow(setId: string, chosen: string, item: ComparedItem): ComparedRow {
  const { name, type, comparison, leftId: left, rightId: right, assignmentsChanged } = item;
  return {
    name,
    type: typeLabels[type],
    badge: looks[comparison],
    address:
      comparison === "changed"
        ? withQuery(`${paths.backup(setId)}/comparison/item`, { with: chosen, left, right })
        : comparison === "added"
          ? right === null
            ? null
            : chosen === "inventory"
              ? paths.policy(right)
              : paths.backupItem(chosen, right)
          : left === null
            ? null
            : paths.backupItem(setId, left),
    note: assignmentsChanged ? "It is assigned to others." : null,
  };
}
