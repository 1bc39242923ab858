import type { Db, Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { Conflict } from "../errors.ts";
import { enqueueRuns } from "../operations/enqueue.ts";
import { changeHold, type HoldRequest } from "./hold.ts";
import { findHold } from "./holdRows.ts";

export type LetThroughRequest = HoldRequest & { runIds: readonly string[] };

type LetThrough = { id: string; tenantId: string | null; operation: string; attempt: number; isDue: boolean };

/**
 * Lets chosen runs begin although the hold stays, each authorized afresh then; a hold placed later holds them
 * again. Those that have begun or ended meanwhile are left alone, and so is what waits elsewhere. Returns how
 * many were let through. Throws `Conflict` when nothing is held there any more, `Forbidden` without
 * `tenant.hold` there.
 */
export async function letThrough(db: Db, request: LetThroughRequest): Promise<number> {
  return changeHold(db, request, async (tx) => {
    const hold = await findHold(tx, request);
    if (hold === undefined)
      throw new Conflict("The hold has ended meanwhile: what waited for it is on its way already.");
    const runs = await markLetThrough(tx, request);
    await enqueueRuns(
      tx,
      runs.flatMap(({ id, isDue }) => (isDue ? [id] : [])),
    );
    if (runs.length > 0) await recordLetThrough(tx, request, runs, hold.reason);
    return runs.length;
  });
}

/** A hold of the tenant and one of the workspace are let through apart: each by who may release it. */
function markLetThrough(tx: Tx, request: LetThroughRequest): Promise<LetThrough[]> {
  const { workspaceId, tenantId, runIds } = request;
  const column = tenantId === null ? "released_from_workspace_hold_at" : "released_from_hold_at";
  return tx.query<LetThrough>(
    `update operation_runs set ${column} = clock_timestamp(),
       waiting_reason = case when waiting_reason = 'hold' then null else waiting_reason end
     where id = any ($1::uuid[]) and workspace_id = $2 and ($3::uuid is null or tenant_id = $3)
       and status = 'queued'
     returning id, tenant_id as "tenantId", operation, attempt,
       next_attempt_at is null or next_attempt_at <= clock_timestamp() as "isDue"`,
    [runIds, workspaceId, tenantId],
  );
}

async function recordLetThrough(
  tx: Tx,
  { actor, workspaceId, tenantId }: HoldRequest,
  runs: readonly LetThrough[],
  reason: string,
): Promise<void> {
  const type = tenantId === null ? "workspace" : "tenant";
  await recordAudit(
    tx,
    {
      workspaceId,
      tenantId,
      actor,
      action: `${type}.runs_let_through`,
      subject: { type, id: tenantId ?? workspaceId },
      outcome: "done",
      details: { runs: runs.length, ids: runs.map(({ id }) => id), reason },
    },
    ...runs.map((run) => ({
      workspaceId,
      tenantId: run.tenantId,
      actor,
      action: "run.let_through",
      subject: { type: "run" as const, id: run.id },
      outcome: "done" as const,
      details: { operation: run.operation, attempt: run.attempt, message: `by ${actor.name}` },
    })),
  );
}
