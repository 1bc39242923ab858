import type { Db, Reader } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import { may, type Viewer } from "../authority/viewer.ts";
import { findBackupSetFor } from "../backups/backupSets.ts";
import { chosenTypes } from "../backups/requestBackup.ts";
import { Invalid, NotFound } from "../errors.ts";
import { type RequestOutcome, requestRun } from "../operations/requestRun.ts";
import { type RestoreOptions, restoreOptions } from "./options.ts";
import { mostItems } from "./sourceItems.ts";

export type PreviewRequest = {
  setId: string;
  /** Where to restore to: the backup's own tenant, or another of the workspace. */
  tenantId: string;
  types: readonly string[];
  /** Some of the items; null for all of the types. */
  itemIds: readonly string[] | null;
  options: RestoreOptions;
  requestKey: string;
  expiresInHours: number;
};

/**
 * Asks for a preview of a restore. Throws `NotFound` for a backup the viewer may not see, `Invalid` (`types`,
 * `items`, `tenant`) for what cannot be previewed.
 */
export async function requestPreview(db: Db, viewer: Viewer, asked: PreviewRequest): Promise<RequestOutcome> {
  const set = await findBackupSetFor(db, viewer, asked.setId);
  if (set === undefined || viewer.workspace === null) throw new NotFound();
  if (set.completedAt === null) throw new Invalid({ items: "The backup is not complete." });
  const types = chosenTypes(asked.types);
  const workspaceId = viewer.workspace.id;
  if (!(await isTenantOf(db, workspaceId, asked.tenantId)) || !may(viewer, "tenant.view", asked.tenantId))
    throw new Invalid({ tenant: "Choose a tenant of this workspace." });
  await refuseUnusableItems(db, asked, types);
  const { setId, tenantId, itemIds, requestKey, expiresInHours } = asked;
  const options = restoreOptions.parse(asked.options);
  return requestRun(db, {
    operation: "restore.preview",
    workspaceId,
    tenantId,
    initiator: viewer.user,
    trigger: "page",
    requestKey,
    expiresInHours,
    target: { setId, types, itemIds: itemIds === null ? null : [...itemIds], options },
    backupSetId: setId,
  });
}

async function refuseUnusableItems(
  reader: Reader,
  { setId, itemIds }: PreviewRequest,
  types: readonly PolicyType[],
): Promise<void> {
  const found = await countItems(reader, setId, types, itemIds);
  if (found === 0) throw new Invalid({ items: "Nothing that was chosen is in the backup." });
  if (found > mostItems) throw new Invalid({ items: `Choose at most ${mostItems} policies at a time.` });
  if (itemIds !== null && found < new Set(itemIds).size)
    throw new Invalid({ items: "Some of the chosen policies are not in the backup." });
}

async function countItems(
  reader: Reader,
  setId: string,
  types: readonly PolicyType[],
  itemIds: readonly string[] | null,
): Promise<number> {
  const [counted] = await reader.query<{ n: number }>(
    `select count(*)::integer as n from backup_items
     where set_id = $1 and type = any ($2::text[]) and ($3::uuid[] is null or id = any ($3))`,
    [setId, types, itemIds],
  );
  return counted?.n ?? 0;
}

async function isTenantOf(reader: Reader, workspaceId: string, tenantId: string): Promise<boolean> {
  const rows = await reader.query("select 1 from tenants where id = $1 and workspace_id = $2", [
    tenantId,
    workspaceId,
  ]);
  return rows.length > 0;
}
