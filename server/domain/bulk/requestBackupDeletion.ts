import type { Db } from "../../db/database.ts";
import type { Viewer } from "../authority/viewer.ts";
import { Invalid, NotFound } from "../errors.ts";
import { type RequestOutcome, requestRun } from "../operations/requestRun.ts";
import { type BackupsChosen, findBackupsToDelete } from "./backupsToDelete.ts";
import { confirmationProblems } from "./confirmation.ts";
import { digestOfChoice, findConfirmedBefore } from "./shownChoice.ts";

export type BackupDeletionRequest = {
  chosen: BackupsChosen;
  /** Of the backups that the page showed. */
  digest: string;
  /** The tenant's name, typed by the person who confirms. */
  tenantName: string;
  reason: string;
  requestKey: string;
  expiresInHours: number;
};

/**
 * Asks for the run that deletes chosen backups of a tenant; which ones is frozen here. Throws `Invalid` (`sets`,
 * `tenantName`, `reason`).
 */
export async function requestBackupDeletion(
  db: Db,
  viewer: Viewer,
  asked: BackupDeletionRequest,
): Promise<RequestOutcome> {
  if (viewer.workspace === null) throw new NotFound();
  const earlier = await findConfirmedBefore(db, viewer, "backups.bulk_delete", asked);
  if (earlier !== undefined) return earlier;
  const found = await findBackupsToDelete(db, viewer, asked.chosen);
  if (digestOfChoice(found.setIds) !== asked.digest)
    throw new Invalid({ sets: "The list has changed since you looked at it: it is these now." });
  const problems = confirmationProblems(found.tenantName, asked);
  if (Object.keys(problems).length > 0) throw new Invalid(problems);
  return requestRun(db, {
    operation: "backups.bulk_delete",
    workspaceId: viewer.workspace.id,
    tenantId: found.tenantId,
    initiator: viewer.user,
    trigger: "page",
    requestKey: asked.requestKey,
    expiresInHours: asked.expiresInHours,
    ...("again" in asked.chosen && { rerunOf: asked.chosen.again }),
    target: { setIds: found.setIds, reason: asked.reason.trim() },
  });
}
