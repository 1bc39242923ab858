import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { listBackupSetsFor } from "../domain/backups/backupSets.ts";
import { paths, withQuery } from "../http/paths.ts";
import { type BackupRow, toRow } from "./backupsPage.ts";

/** The latest backups of a tenant, for its page. `newAddress` is null for those who may take none. */
export type TenantBackups = {
  rows: BackupRow[];
  /** Why none are shown; null when they are. */
  why: string | null;
  newAddress: string | null;
  allAddress: string;
};

const shown = 5;

export async function readTenantBackups(
  reader: Reader,
  viewer: Viewer,
  tenantId: string,
): Promise<TenantBackups> {
  const isSeen = may(viewer, "backup.view", tenantId);
  const { sets } = isSeen
    ? await listBackupSetsFor(reader, viewer, { tenantId, kind: null }, null)
    : { sets: [] };
  return {
    rows: sets.slice(0, shown).map(toRow),
    why: isSeen ? null : `You need backup.view to ${capabilities["backup.view"]}.`,
    newAddress: may(viewer, "backup.create", tenantId) ? `${paths.tenant(tenantId)}/backups/new` : null,
    allAddress: withQuery(paths.backups, { tenant: tenantId }),
  };
}
