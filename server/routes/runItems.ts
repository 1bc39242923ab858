import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { findBackupSetFor } from "../domain/backups/backupSets.ts";
import { findSelectionOfRun, selectedResults } from "../domain/bulk/selectedItems.ts";
import type { RunView } from "../domain/operations/describeRun.ts";
import { type Badge, counted } from "../domain/operations/runWords.ts";
import {
  type ItemResult,
  itemResults,
  type ListedPlanItem,
  listPlanItems,
  planTallies,
} from "../domain/restores/planItems.ts";
import { findPlanFor, findPlanOfRun } from "../domain/restores/plans.ts";
import { findUndoFor } from "../domain/restores/undo.ts";
import { type UnknownEffect, unknownEffectsOf } from "../domain/restores/unknownEffects.ts";
import { paths, withQuery } from "../http/paths.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import { resultBadges } from "./restoreWords.ts";
import { readSelectedResults } from "./selectedResults.ts";

const Query = z.object({
  result: z
    .enum([...new Set([...itemResults, ...selectedResults])])
    .nullable()
    .catch(null),
  after: z.coerce.number().int().positive().max(1_000_000).nullable().catch(null),
});

export type RunItemsQuery = z.infer<typeof Query>;

export function parseRunItemsQuery(query: unknown): RunItemsQuery {
  return Query.parse(query);
}

/** What a run made or worked on, item by item, as far as the viewer may see it. */
export type RunItems = {
  /** The run's page with these filters: what updates itself keeps them. */
  address: string;
  links: { href: string; label: string }[];
  undo: { words: string; address: string; requestKey: string } | null;
  toCheck: ToCheck[];
  /** Null for a run that carries out no preview and works on no selection. */
  results: Results | null;
};

type ToCheck = Pick<UnknownEffect, "name" | "providerId" | "requestId" | "reason"> & {
  type: string;
  doing: string;
};

export type Results = {
  chips: { label: string; href: string; isCurrent: boolean }[];
  rows: ResultRow[];
  pages: { newer: string | null; older: string | null };
};

export type ResultRow = {
  name: string;
  type: string;
  badge: Badge;
  reason: string | null;
  settledAt: Date | null;
};

export async function readRunItems(
  reader: Reader,
  viewer: Viewer,
  run: RunView,
  query: RunItemsQuery,
): Promise<RunItems> {
  const [set, preview, planId, selectionId] = await Promise.all([
    findBackupSetFor(reader, viewer, run.id),
    findPlanFor(reader, viewer, run.id),
    findPlanOfRun(reader, run.id),
    findSelectionOfRun(reader, run.id),
  ]);
  const plan = planId === undefined ? undefined : await findPlanFor(reader, viewer, planId);
  const isSnapshot = set?.kind === "snapshot";
  return {
    address: addressOf(run.id, query),
    links: [
      ...(set === undefined || (isSnapshot && set.items === 0)
        ? []
        : [{ href: paths.backup(set.id), label: isSnapshot ? "What was there before" : "Open the backup" }]),
      ...[preview, plan].flatMap((one) =>
        one === undefined ? [] : [{ href: paths.restore(one.id), label: "Open the preview" }],
      ),
    ],
    undo: run.isOpen || set === undefined ? null : await readUndo(reader, viewer, run.id),
    toCheck:
      planId === undefined && selectionId === undefined
        ? []
        : (await unknownEffectsOf(reader, run.id)).map(toCheck),
    results: await resultsOf(reader, run.id, { planId, selectionId }, query),
  };
}

async function resultsOf(
  reader: Reader,
  runId: string,
  { planId, selectionId }: { planId: string | undefined; selectionId: string | undefined },
  query: RunItemsQuery,
): Promise<Results | null> {
  if (planId !== undefined) return readResults(reader, runId, planId, query);
  if (selectionId === undefined) return null;
  return readSelectedResults(reader, selectionId, query, (other) => addressOf(runId, other));
}

function addressOf(runId: string, { result, after }: RunItemsQuery): string {
  return withQuery(paths.run(runId), { result, after: after === null ? null : String(after) });
}

async function readUndo(reader: Reader, viewer: Viewer, runId: string): Promise<RunItems["undo"]> {
  const undo = await findUndoFor(reader, viewer, runId);
  if (undo === undefined || !may(viewer, "restore.preview", undo.tenantId)) return null;
  return {
    words: `Previews putting back exactly what was there before: ${counted(undo.items, "policy", "policies")}. What it created stays.`,
    address: `${paths.run(runId)}/undo`,
    requestKey: randomUUID(),
  };
}

const doing = {
  create: "creating it",
  update: "changing it",
  actions: "setting its actions for noncompliance",
  definitions: "setting its values",
  assign: "setting its assignments",
  delete: "deleting it",
} as const satisfies Record<UnknownEffect["action"], string>;

function toCheck({ type, name, action, providerId, requestId, reason }: UnknownEffect): ToCheck {
  return { ...{ name, providerId, requestId, reason }, type: typeLabels[type], doing: doing[action] };
}

async function readResults(
  reader: Reader,
  runId: string,
  planId: string,
  query: RunItemsQuery,
): Promise<Results> {
  const chosen = itemResults.find((result) => result === query.result) ?? null;
  const [{ results }, { items, next }] = await Promise.all([
    planTallies(reader, planId),
    listPlanItems(reader, planId, { action: null, result: chosen }, query.after),
  ]);
  const chip = (result: ItemResult | null, label: string) => ({
    label,
    href: addressOf(runId, { result, after: null }),
    isCurrent: result === query.result,
  });
  const present = itemResults.filter((result) => results[result] > 0 || result === query.result);
  return {
    chips: [
      chip(null, "All"),
      ...present.map((result) =>
        chip(result, `${resultBadges[result].label} ${results[result].toLocaleString("en-GB")}`),
      ),
    ],
    rows: items.map(toRow),
    pages: {
      newer: query.after === null ? null : addressOf(runId, { ...query, after: null }),
      older: next === null ? null : addressOf(runId, { ...query, after: next }),
    },
  };
}

function toRow({ name, type, result, resultReason, settledAt }: ListedPlanItem): ResultRow {
  return {
    ...{ name, reason: resultReason, settledAt },
    type: typeLabels[type],
    badge: resultBadges[result],
  };
}
