import type { Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { Viewer } from "../authority/viewer.ts";
import { findBackupSetFor } from "../backups/backupSets.ts";
import { type RestoreOptions, undoOptions } from "./options.ts";

export type Undo = {
  setId: string;
  tenantId: string;
  types: PolicyType[];
  items: number;
  options: RestoreOptions;
};

/**
 * What to preview in order to undo a restore: putting back exactly what it wrote over. What it created stays,
 * since a restore never deletes. Undefined when it wrote over nothing, or the viewer may not see backups.
 */
export async function findUndoFor(reader: Reader, viewer: Viewer, runId: string): Promise<Undo | undefined> {
  const snapshot = await findBackupSetFor(reader, viewer, runId);
  if (snapshot?.kind !== "snapshot" || snapshot.items === 0) return undefined;
  const { id: setId, tenantId, types, items } = snapshot;
  return { setId, tenantId, types, items, options: undoOptions };
}
