import { type Db, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { enqueueRuns } from "./enqueue.ts";

/**
 * Records a job whose payload is not exactly the id of a run of its operation. Nothing in it has an effect.
 * When it does name a queued run, that run gets a clean job, so that a smuggled payload cannot make it
 * disappear either.
 */
export async function refuseDelivery(
  db: Db,
  delivery: { operation: string; jobId: string; runId: string | null; why: string },
): Promise<void> {
  await retrying(() =>
    db.transaction(async (tx) => {
      const [run] = await tx.query<{ workspaceId: string; tenantId: string | null }>(
        `select workspace_id as "workspaceId", tenant_id as "tenantId" from operation_runs where id = $1`,
        [delivery.runId],
      );
      await recordAudit(tx, {
        workspaceId: run?.workspaceId ?? null,
        tenantId: run?.tenantId ?? null,
        actor: null,
        action: "job.refused",
        subject: { type: "run", id: run === undefined ? null : delivery.runId },
        outcome: "denied",
        details: { operation: delivery.operation, job: delivery.jobId, why: delivery.why },
      });
      if (run !== undefined && delivery.runId !== null) await enqueueRuns(tx, [delivery.runId]);
    }, workerBounds),
  );
}
