import type { Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import type { Decision } from "../authority/decide.ts";
import { enqueueRuns } from "./enqueue.ts";
import type { Run } from "./run.ts";

type Deferred = { run: Run; decision: Extract<Decision, { verdict: "deferred" }> };

/** A held run's job looks again after this long (milliseconds), in case nobody released it through us. */
const lookAgainAfter = 300_000;

/**
 * Leaves runs queued with the reason, without an attempt or a decision spent, and with a job for later. What
 * they began to wait for is recorded once, however often the job looks again.
 */
export async function deferRuns(tx: Tx, deferred: readonly Deferred[]): Promise<void> {
  if (deferred.length === 0) return;
  const newly = await markWaiting(
    tx,
    deferred.map(({ run }) => run.id),
  );
  await recordAudit(
    tx,
    ...deferred
      .filter(({ run }) => newly.has(run.id))
      .map(({ run, decision: { deferral } }) => ({
        workspaceId: run.workspaceId,
        tenantId: run.tenantId,
        actor: null,
        action: "run.deferred",
        subject: { type: "run" as const, id: run.id },
        outcome: "done" as const,
        details: {
          operation: run.operation,
          attempt: run.attempt,
          message: `tenant on hold by ${deferral.by}: “${deferral.reason}”`,
        },
      })),
  );
  for (const [time, ids] of byTime(deferred)) await enqueueRuns(tx, ids, { runAt: new Date(time) });
}

async function markWaiting(tx: Tx, runIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(
    `update operation_runs set status = 'queued', waiting_reason = 'hold', next_attempt_at = null,
       -- One that was running lost its worker, and its token ends here.
       fencing_token = fencing_token + case when status = 'running' then 1 else 0 end
     where id = any ($1::uuid[])
     and (status, waiting_reason) is distinct from ('queued', 'hold') returning id`,
    [runIds],
  );
  return new Set(rows.map((row) => row.id));
}

/** When each job looks again: when its hold ends, or in a while. Few times for many runs: few statements. */
function byTime(deferred: readonly Deferred[]): Map<number, string[]> {
  const [first] = deferred;
  const later = (first?.decision.decidedAt.getTime() ?? 0) + lookAgainAfter;
  const times = new Map<number, string[]>();
  for (const { run, decision } of deferred) {
    const time = Math.min(decision.deferral.until?.getTime() ?? later, later);
    times.set(time, [...(times.get(time) ?? []), run.id]);
  }
  return times;
}
