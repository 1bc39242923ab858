import type { Reader, Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import type { Ending } from "../operations/ending.ts";
import type { EffectSummary } from "../operations/runEffect.ts";
import { counted } from "../operations/runWords.ts";

type Deleting = { runId: string; workspaceId: string; tenantId: string };

/**
 * Deletes backup sets of a tenant, all of them or none: what relies on one is stopped by it. A set that is still
 * being taken is `kept`; one that is not there any more is `gone`.
 */
export async function deleteBackupSets(
  tx: Tx,
  { runId, workspaceId, tenantId }: Deleting,
  setIds: readonly string[],
): Promise<EffectSummary> {
  const deleted = await tx.query<{ id: string }>(
    `delete from backup_sets b where b.id = any ($1::uuid[]) and b.workspace_id = $2 and b.tenant_id = $3
       and not exists (select 1 from operation_runs r where r.id = b.id and r.status <> 'completed')
     returning b.id`,
    [setIds, workspaceId, tenantId],
  );
  const kept = await tx.query(
    "select 1 from backup_sets where id = any ($1::uuid[]) and workspace_id = $2 and tenant_id = $3",
    [setIds, workspaceId, tenantId],
  );
  await recordAudit(
    tx,
    ...deleted.map(({ id }) => ({
      ...{ workspaceId, tenantId },
      actor: null,
      action: "backup.deleted",
      subject: { type: "backup" as const, id },
      outcome: "done" as const,
      details: { run: runId },
    })),
  );
  const gone = setIds.length - deleted.length - kept.length;
  const counts = { deleted: deleted.length, gone, kept: kept.length };
  return {
    items: setIds.length,
    counts: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
  };
}

/** How a run that has looked at all its sets has ended. */
export async function endingOfDeletion(
  reader: Reader,
  runId: string,
): Promise<Extract<Ending, { outcome: "succeeded" | "partially_succeeded" | "failed" }>> {
  const [row] = await reader.query<{ tally: Record<string, number> }>(
    "select tally_of_effects($1) as tally",
    [runId],
  );
  const { deleted = 0, kept = 0 } = row?.tally ?? {};
  if (kept === 0) return { outcome: "succeeded" };
  const message = `${counted(kept, "backup was", "backups were")} kept: a run is still taking ${kept === 1 ? "it" : "them"}.`;
  return deleted === 0
    ? { outcome: "failed", code: "nothing_done", message }
    : { outcome: "partially_succeeded", message };
}
