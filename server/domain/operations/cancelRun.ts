import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { type Actor, type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import { Conflict, Forbidden } from "../errors.ts";
import { actOnRun } from "./actOnRun.ts";
import { cancellationOf, lackingToCancel } from "./cancellation.ts";
import { finishRuns } from "./finishRuns.ts";
import { type Run, runColumns } from "./run.ts";
import { badgeOf } from "./runWords.ts";
import { shareTurns } from "./tenantLine.ts";

/** `ended`: it had not begun or was between two attempts. `asked`: it stops before its next effect. */
export type Cancelled = "ended" | "asked";

/**
 * Cancels a run: what waits ends `cancelled` at once; what runs is told to, and its next gate ends it before it
 * has another effect, with what had been done. A writing call under way is settled first. Asking twice is asking
 * once. Throws `NotFound` for a stranger, `Forbidden` without `operations.cancel` for one's own run or
 * `operations.cancel_any` for another's, `Conflict` when the run has ended otherwise.
 */
export async function cancelRun(db: Db, request: { runId: string; actor: Actor }): Promise<Cancelled> {
  const cancelled = await retrying(() => db.transaction((tx) => cancelIn(tx, request), workerBounds));
  await cancelChildren(db, request.runId);
  return cancelled;
}

/** Children dealt with in one transaction. */
const batch = 50;

/**
 * Cancels what runs that somebody cancelled had asked for, of one of them or of all: the rescuer goes on where a
 * process stopped in the middle. Not in the parent's own transaction: a child that ends is locked before its
 * parent. Returns how many.
 */
export async function cancelChildren(db: Db, parentId: string | null): Promise<number> {
  let cancelled = 0;
  for (;;) {
    const found = await retrying(() => db.transaction((tx) => cancelSomeIn(tx, parentId), workerBounds));
    cancelled += found;
    if (found < batch) return cancelled;
  }
}

async function cancelSomeIn(tx: Tx, parentId: string | null): Promise<number> {
  const found = await tx.query<{ id: string; byId: string; byName: string }>(
    `select c.id, p.cancelled_by as "byId", p.cancelled_by_name as "byName"
     from operation_runs c join operation_runs p on p.id = c.parent_run_id
     where c.parent_run_id is not null and c.status <> 'completed' and c.cancel_requested_at is null
       and p.cancel_requested_at is not null and ($1::uuid is null or c.parent_run_id = $1)
     order by c.id limit ${batch}`,
    [parentId],
  );
  await shareTurns(
    tx,
    found.map(({ id }) => id),
  );
  for (const [id, children] of Map.groupBy(found, ({ byId }) => byId)) {
    const ids = children.map((child) => child.id);
    await cancelRuns(tx, ids, { id, name: children[0]?.byName ?? "" });
  }
  return found.length;
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

/** Of the runs, those that are open and that nobody asked to cancel yet. The caller has judged them. */
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
