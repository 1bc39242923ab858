import { z } from "zod";
import { deleteBackupSets, endingOfDeletion } from "../../server/domain/bulk/deleteBackups.ts";
import { inSlices } from "../inParts.ts";
import { withReauthorization } from "../withReauthorization.ts";

const target = z.object({ setIds: z.array(z.uuid()).min(1) });

/** Sets per effect: deleting them with all they hold must take little time, since others wait for its locks. */
const setsPerEffect = 10;

/** Deletes chosen backups of a tenant, some at a time, each time all of those or none. */
export const backupsBulkDelete = withReauthorization("backups.bulk_delete", async (run) => {
  const { setIds } = target.parse(run.target);
  await run.total(setIds.length);
  const { id: runId, workspaceId, tenantId } = run;
  for (const [index, part] of inSlices(setIds, setsPerEffect).entries())
    await run.effect(
      `sets:${index + 1}`,
      (tx) => deleteBackupSets(tx, { runId, workspaceId, tenantId }, part),
      { takesAway: part },
    );
  return run.read((reader) => endingOfDeletion(reader, run.id));
});
