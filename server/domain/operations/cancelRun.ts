import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { type Actor, type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import { Conflict, Forbidden } from "../errors.ts";
import { actOnRun } from "./actOnRun.ts";
import { cancellationOf, lackingToCancel } from "./cancellation.ts";
import { finishRuns } from "./finishRuns.ts";
import { type Run, runColumns } from "./run.ts";
import { badgeOf } from "./runWords.ts";

/** `ended`: it had not begun or was between two attempts. `asked`: it stops before its next effect. */
export type Cancelled = "ended" | "asked";

/**
 * Cancels a run: what waits ends `cancelled` at once; what runs is told to, and its next gate ends it before it
 * has another effect, with what had been done. A writing call under way is settled first. Asking twice is asking
 * once. Throws `NotFound` for a stranger, `Forbidden` without `operations.cancel` for one's own run or
 * `operations.cancel_any` for another's, `Conflict` when the run has ended otherwise.
 */
export async function cancelRun(db: Db, request: { runId: string; actor: Actor }): Promise<Cancelled> {
  return retrying(() => db.transaction((tx) => cancelIn(tx, request), workerBounds));
}

async function cancelIn(tx: Tx, { runId, actor }: { runId: string; actor: Actor }): Promise<Cancelled> {
  const { run, place, viewer } = await actOnRun(tx, actor, runId);
  const lacking = lackingToCancel(viewer, place);
  if (lacking !== null) throw new Forbidden(lacking);
  if (run.outcome === "cancelled") return "ended";
  if (run.status === "completed")
    throw new Conflict(
      `It cannot be cancelled any more: it has ended already, as “${badgeOf(run).label}”. Its page says what was done.`,
    );
  await cancelRuns(tx, [run.id], actor);
  return run.status === "queued" ? "ended" : "asked";
}

/** Of the runs, those that are open and that nobody asked to cancel yet. The caller has locked and judged them. */
async function cancelRuns(tx: Tx, runIds: readonly string[], actor: Actor): Promise<void> {
  const asked = await askToCancel(tx, runIds, actor);
  await recordAudit(tx, ...asked.map((run) => requested(run, actor)));
  await finishRuns(
    tx,
    asked.flatMap((run) => {
      const ending = cancellationOf(run);
      return run.status === "queued" && ending !== null ? [{ run, ending }] : [];
    }),
  );
  // A hint to the workers, as for any loss of authority: the next gate is what stops the run.
  if (asked.some(({ status }) => status === "running"))
    await tx.query("select pg_notify('authority_changed', '')");
}

function askToCancel(tx: Tx, runIds: readonly string[], actor: Actor): Promise<Run[]> {
  return tx.query<Run>(
    `update operation_runs
     set cancel_requested_at = clock_timestamp(), cancelled_by = $2, cancelled_by_name = $3
     where id = any ($1::uuid[]) and status <> 'completed' and cancel_requested_at is null
     returning ${runColumns}`,
    [runIds, actor.id, actor.name],
  );
}

function requested(run: Run, actor: Actor): AuditEvent {
  return {
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    actor,
    action: "run.cancellation_requested",
    subject: { type: "run", id: run.id },
    outcome: "done",
    details: { operation: run.operation, attempt: run.attempt, status: run.status },
  };
}
