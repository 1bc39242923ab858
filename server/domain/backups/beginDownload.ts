import type { Db } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import type { Viewer } from "../authority/viewer.ts";
import { Conflict, NotFound } from "../errors.ts";
import { type BackupSet, findBackupSetFor } from "./backupSets.ts";

/**
 * Lets the viewer take a backup away, and keeps who did: before anything of it is sent. Throws `NotFound` for a
 * set the viewer may not see, `Conflict` while it is being taken.
 */
export function beginDownload(db: Db, viewer: Viewer, setId: string): Promise<BackupSet> {
  return db.transaction(async (tx) => {
    const set = await findBackupSetFor(tx, viewer, setId);
    if (set === undefined || viewer.workspace === null) throw new NotFound();
    if (set.state === "being_taken")
      throw new Conflict("It is being taken at the moment. Download it once it is complete.");
    await recordAudit(tx, {
      workspaceId: viewer.workspace.id,
      tenantId: set.tenantId,
      actor: { id: viewer.user.id, name: viewer.user.name },
      action: "backup.downloaded",
      subject: { type: "backup", id: set.id },
      outcome: "done",
      details: { kind: set.kind, takenAt: set.takenAt, items: set.items },
    });
    return set;
  });
}
