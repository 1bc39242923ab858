import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { outlasting } from "../../db/outlasting.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import { cancellationOf } from "./cancellation.ts";
import { deferRuns } from "./deferRuns.ts";
import type { FailureCode } from "./ending.ts";
import { enqueueRuns } from "./enqueue.ts";
import { finishRuns } from "./finishRuns.ts";
import { findHoldOver } from "./holdOver.ts";
import { type Run, runColumns } from "./run.ts";
import { shareTurns, wakeNext } from "./tenantLine.ts";

/** What an attempt failed of. `message` is sanitized: it is shown to people and kept. */
export type Fault = { code: FailureCode; message: string };

/**
 * What became of a run whose attempt failed. `fenced`: the attempt was no longer the run's, nothing written;
 * `cancelled`: somebody had asked for that, so it is not tried again; `held`: it waits for a hold.
 */
export type AfterFault = "retried" | "failed" | "fenced" | "cancelled" | "held";

/**
 * Records that an attempt failed: back to `queued` with the error and a job for when it is tried again, or
 * `failed` when it was the last one. The next attempt gates afresh.
 */
export async function failAttempt(db: Db, run: Run, fault: Fault): Promise<AfterFault> {
  return ending(db, run, async (tx, present) => {
    await recordAudit(
      tx,
      attemptEvent(present, "run.attempt_failed", { code: fault.code, message: fault.message }),
    );
    if (await endIfCancelled(tx, present)) return "cancelled";
    if (present.attempt >= present.maxAttempts) {
      await finishRuns(tx, [{ run: present, ending: { outcome: "failed", ...fault } }]);
      return "failed";
    }
    await queueAgain(tx, present, fault.message);
    return "retried";
  });
}

/**
 * The job comes with the state that asks for it: were the queue left to retry its own job, one whose key went
 * to another (a release while it ran) would never be tried again. Waits e, e², e³ … seconds, as the queue would.
 */
async function queueAgain(tx: Tx, run: Run, message: string): Promise<void> {
  const [row] = await tx.query<{ at: Date }>(
    `update operation_runs set status = 'queued', last_error = $2, job_id = null,
       next_attempt_at = date_trunc('milliseconds', clock_timestamp()) + make_interval(secs => $3)
     where id = $1 returning next_attempt_at as at`,
    [run.id, message.slice(0, 1000), Math.exp(Math.min(10, Math.max(1, run.attempt)))],
  );
  if (row !== undefined) await enqueueRuns(tx, [run.id], { runAt: row.at });
  if (run.tenantId !== null) await wakeNext(tx, [run.tenantId]);
}

/**
 * Gives a run back that this worker cannot finish because it stops: it stays queued with a job of its own,
 * resumes where its effects ended, and has spent no attempt.
 */
export async function handBackAttempt(db: Db, run: Run): Promise<AfterFault> {
  return ending(db, run, async (tx, present) => {
    if (await endIfCancelled(tx, present)) return "cancelled";
    await tx.query(
      `update operation_runs set status = 'queued', attempt = attempt - 1, job_id = null where id = $1`,
      [run.id],
    );
    await recordAudit(tx, attemptEvent(present, "run.handed_back", {}));
    await enqueueRuns(tx, [run.id]);
    return "retried";
  });
}

/**
 * Records that a delivery could not be decided (database error, lock time-out): it spends an attempt without
 * having run, and ends the run `failed` / `authority_undecided` when attempts run out. Fails closed: nothing
 * of the run happened. A run that is under way in another job, or has ended, is left alone; one that this very
 * job had begun lost its worker, and its token ends here. One that stands under a hold could not have begun
 * anyway: it goes on waiting for the hold and spends nothing.
 */
export async function recordUndecided(
  db: Db,
  { runId, jobId }: { runId: string; jobId: string },
): Promise<AfterFault> {
  const message = "Whether the run may begin could not be decided: the database did not answer in time.";
  return outlasting(() =>
    db.transaction(async (tx) => {
      await shareTurns(tx, [runId]);
      const run = await lockRun(tx, runId);
      if (run === undefined || run.awaitsChildren) return "fenced";
      const isOurs = run.status === "queued" || (run.status === "running" && run.jobId === jobId);
      if (!isOurs) return "fenced";
      const held = await findHoldOver(tx, runId);
      if (held !== undefined) {
        await deferRuns(tx, [{ run, decision: held }]);
        return "held";
      }
      const [spent] = await tx.query<Run>(
        `update operation_runs set attempt = attempt + 1, status = 'queued', last_error = $2,
           fencing_token = fencing_token + case when status = 'running' then 1 else 0 end
         where id = $1 returning ${runColumns}`,
        [runId, message],
      );
      if (spent === undefined) return "fenced";
      await recordAudit(
        tx,
        attemptEvent(spent, "run.attempt_failed", { code: "authority_undecided", message }),
      );
      if (await endIfCancelled(tx, spent)) return "cancelled";
      if (spent.attempt < spent.maxAttempts) {
        await queueAgain(tx, spent, message);
        return "retried";
      }
      await finishRuns(tx, [
        { run: spent, ending: { outcome: "failed", code: "authority_undecided", message } },
      ]);
      return "failed";
    }, workerBounds),
  );
}

async function ending(
  db: Db,
  run: Run,
  work: (tx: Tx, present: Run) => Promise<AfterFault>,
): Promise<AfterFault> {
  return outlasting(() =>
    db.transaction(async (tx) => {
      await shareTurns(tx, [run.id]);
      const present = await lockRun(tx, run.id);
      if (present?.status !== "running" || present.fencingToken !== run.fencingToken) return "fenced";
      // It has left its end to its children, and only the answer to that got lost.
      if (present.awaitsChildren) return "fenced";
      return work(tx, present);
    }, workerBounds),
  );
}

async function endIfCancelled(tx: Tx, run: Run): Promise<boolean> {
  const cancellation = cancellationOf(run);
  if (cancellation === null) return false;
  await finishRuns(tx, [{ run, ending: cancellation }]);
  return true;
}

async function lockRun(tx: Tx, runId: string): Promise<Run | undefined> {
  const [run] = await tx.query<Run>(
    `select ${runColumns} from operation_runs where id = $1 for no key update`,
    [runId],
  );
  return run;
}

function attemptEvent(run: Run, action: string, details: Record<string, unknown>): AuditEvent {
  return {
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    actor: null,
    action,
    subject: { type: "run", id: run.id },
    outcome: action === "run.attempt_failed" ? "failed" : "done",
    details: { operation: run.operation, attempt: run.attempt, ...details },
  };
}
