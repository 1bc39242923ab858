import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { targetOf } from "../domain/backups/assignment.ts";
import { type BackupItem, findBackupItem, type NamedAssignment } from "../domain/backups/backupItems.ts";
import { findBackupSetFor } from "../domain/backups/backupSets.ts";
import { pathOfPointer } from "../domain/restores/secrets.ts";
import { paths, withQuery } from "../http/paths.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import { type ShownJson, showJson } from "./backupWords.ts";

export type BackupItemPage = {
  set: { address: string; tenantName: string; takenAt: Date };
  name: string;
  facts: { label: string; value: string; isCode: boolean }[];
  notCaptured: string[];
  /** Null for a type that has no assignments apart from itself. */
  assignments: ShownAssignment[] | null;
  /** What stands in their place then. */
  unassigned: string;
  payload: ShownJson;
  restoreAddress: string | null;
};

type ShownAssignment = { whom: string; id: string | null; filter: string | null; excludes: boolean };

/** Undefined where the viewer may not see the set, or the item is not in it. */
export async function readBackupItemPage(
  reader: Reader,
  viewer: Viewer,
  setId: string,
  itemId: string,
): Promise<BackupItemPage | undefined> {
  const set = await findBackupSetFor(reader, viewer, setId);
  const item = set === undefined ? undefined : await findBackupItem(reader, setId, itemId);
  if (set === undefined || item === undefined) return undefined;
  const address = paths.backup(setId);
  return {
    set: { address, tenantName: set.tenantName, takenAt: set.takenAt },
    name: item.name,
    facts: factsOf(item),
    notCaptured: item.notCaptured.map(pathOfPointer),
    assignments: item.assignments?.map(toShown) ?? null,
    unassigned:
      item.type === "conditionalAccessPolicies"
        ? "Conditional Access policies say themselves whom they are for: see their conditions."
        : `${typeLabels[item.type]} are assigned to nobody: policies refer to them.`,
    payload: showJson(item.payload),
    restoreAddress: set.state === "complete" ? withQuery(`${address}/restores/new`, { item: item.id }) : null,
  };
}

function factsOf({ type, odataType, providerId, hash }: BackupItem): BackupItemPage["facts"] {
  return [
    { label: "Type", value: typeLabels[type], isCode: false },
    { label: "Microsoft’s type", value: odataType === "" ? "not said" : odataType, isCode: odataType !== "" },
    { label: "Id at Microsoft", value: providerId, isCode: true },
    { label: "Digest", value: hash, isCode: true },
  ];
}

const wholeGroups: Record<string, string> = {
  allDevicesAssignmentTarget: "All devices",
  allLicensedUsersAssignmentTarget: "All users",
};

function toShown({ raw, groupId, groupName, filterId, filterName }: NamedAssignment): ShownAssignment {
  const { kind, excludes } = targetOf(raw);
  return {
    whom: groupName ?? wholeGroups[kind] ?? (groupId === null ? kind : "A group whose name is not known"),
    id: groupId,
    filter: filterName ?? filterId,
    excludes,
  };
}
