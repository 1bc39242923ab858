import { randomUUID } from "node:crypto";
import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { listKnownGroups } from "../domain/bulk/knownGroups.ts";
import {
  countSelected,
  findSelectionFor,
  listSelectedNames,
  type PolicyOperation,
  type Selection,
} from "../domain/bulk/selections.ts";
import { Forbidden } from "../domain/errors.ts";
import { contractOf } from "../domain/operations/catalog.ts";
import { counted } from "../domain/operations/runWords.ts";
import { paths, withQuery } from "../http/paths.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import { type ExpiryOption, expiryOptions } from "./expiry.ts";
import type { Problems } from "./tried.ts";

/** A confirmation as it was sent. */
export type SentSelection = {
  tenantName: string;
  reason: string;
  digest: string;
  include: readonly string[];
  exclude: readonly string[];
  hours: number;
  requestKey: string;
  problems: Problems;
};

export type SelectionPage = {
  operation: PolicyOperation;
  label: string;
  tenantName: string;
  question: string;
  meaning: string[];
  types: { label: string; items: number }[];
  names: string[];
  more: number;
  /** Groups whose names are known from the tenant's backups; null where groups are not asked for. */
  groups: string[] | null;
  address: string;
  inventory: string;
  /** The run that confirming it asks for again. */
  againAddress: string | null;
  /** The run that works on it already; then there is nothing to confirm. */
  runAddress: string | null;
  digest: string;
  requestKey: string;
  expiries: ExpiryOption[];
  sent: Pick<SentSelection, "tenantName" | "reason" | "problems"> & { include: string; exclude: string };
};

const namesShown = 20;

/** What confirming would do. Undefined where the viewer may not see the selection; throws `Forbidden`. */
export async function readSelectionPage(
  reader: Reader,
  viewer: Viewer,
  selectionId: string,
  config: { REQUEST_EXPIRY_HOURS: number },
  sent?: SentSelection,
): Promise<SelectionPage | undefined> {
  const selection = await findSelectionFor(reader, viewer, selectionId);
  if (selection === undefined) return undefined;
  const { operation, tenantId, tenantName, items, runId, rerunOf } = selection;
  const { capability } = contractOf(operation);
  if (!may(viewer, capability, tenantId)) throw new Forbidden(capability);
  const [types, names, groups] = await Promise.all([
    countSelected(reader, selectionId),
    listSelectedNames(reader, selectionId, namesShown),
    operation === "policies.bulk_assign" && may(viewer, "backup.view", tenantId)
      ? listKnownGroups(reader, tenantId)
      : [],
  ]);
  return {
    ...{ operation, tenantName, names },
    ...wordsFor(selection),
    types: types.map(({ type, items: ofType }) => ({ label: typeLabels[type], items: ofType })),
    more: items - names.length,
    groups: operation === "policies.bulk_assign" ? groups : null,
    address: paths.selection(selectionId),
    inventory: withQuery(paths.inventory, { tenant: tenantId }),
    againAddress: rerunOf === null ? null : paths.run(rerunOf),
    runAddress: runId === null ? null : paths.run(runId),
    digest: sent?.digest ?? selection.digest,
    requestKey: sent?.requestKey ?? randomUUID(),
    expiries: expiryOptions(config.REQUEST_EXPIRY_HOURS, sent?.hours),
    sent: {
      ...(sent ?? { tenantName: "", reason: "", problems: {} }),
      include: (sent?.include ?? selection.include).join("\n"),
      exclude: (sent?.exclude ?? selection.exclude).join("\n"),
    },
  };
}

function wordsFor(selection: Selection): Pick<SelectionPage, "label" | "question" | "meaning"> {
  const { operation, items, leftOut, tenantName } = selection;
  const policies = counted(items, "policy", "policies");
  const always = [
    "You are authorized again before each of them. If one has changed since it was last synced, nothing more is done.",
    ...(leftOut === 0
      ? []
      : [
          `${counted(leftOut, "other one is", "other ones are")} left out: nothing of ${leftOut === 1 ? "its kind" : "their kinds"} is assigned to groups.`,
        ]),
  ];
  const kept = "Each is kept in a backup before that, from which it can be restored.";
  switch (operation) {
    case "policies.bulk_delete":
      return {
        label: "Delete",
        question: `Delete ${policies} at ${tenantName}?`,
        meaning: [`${policies} ${items === 1 ? "is" : "are"} deleted at Microsoft. ${kept}`, ...always],
      };
    case "policies.bulk_assign":
      return {
        label: "Assign",
        question: `Assign ${policies} at ${tenantName}?`,
        meaning: [
          "Groups are added to those there. Whoever is left out now stays left out.",
          kept,
          ...always,
        ],
      };
  }
}
