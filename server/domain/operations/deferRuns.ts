import type { Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import type { Deferral } from "../authority/decide.ts";
import { enqueueRuns } from "./enqueue.ts";
import type { Run } from "./run.ts";

type DeferredRun = { run: Run; decision: { deferral: Deferral; decidedAt: Date } };

/** Its job looks again after this long (milliseconds), should nobody wake it when what it waits for is over. */
const lookAgainAfter = { hold: 300_000, turn: 30_000, concurrency: 60_000 } as const;

/**
 * Leaves runs queued with the reason, without an attempt or a decision spent, and with a job for later. What
 * they began to wait for is recorded once, however often the job looks again.
 */
export async function deferRuns(tx: Tx, deferred: readonly DeferredRun[]): Promise<void> {
  if (deferred.length === 0) return;
  const newly = await markWaiting(tx, deferred);
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
        details: { operation: run.operation, attempt: run.attempt, message: whyWaiting(deferral) },
      })),
  );
  for (const [time, ids] of byTime(deferred)) await enqueueRuns(tx, ids, { runAt: new Date(time) });
}

function whyWaiting(deferral: Deferral): string {
  switch (deferral.kind) {
    case "hold":
      return `${deferral.of} on hold by ${deferral.by}: “${deferral.reason}”`;
    case "turn":
      return `waiting for its turn: run ${deferral.runId} writes at the tenant first`;
    case "concurrency":
      return `${deferral.running} runs are under way at the tenant, as many as may be at once`;
  }
}

async function markWaiting(tx: Tx, deferred: readonly DeferredRun[]): Promise<Set<string>> {
  const rows = await tx.query<{ id: string }>(
    `update operation_runs r set status = 'queued', waiting_reason = d.kind, next_attempt_at = null,
       -- One that was running lost its worker, and its token ends here.
       fencing_token = fencing_token + case when r.status = 'running' then 1 else 0 end
     from jsonb_to_recordset($1::jsonb) as d (id uuid, kind text)
     where r.id = d.id and (r.status, r.waiting_reason) is distinct from ('queued', d.kind) returning r.id`,
    [JSON.stringify(deferred.map(({ run, decision }) => ({ id: run.id, kind: decision.deferral.kind })))],
  );
  return new Set(rows.map((row) => row.id));
}

/** When each job looks again: when its hold ends, or in a while. Few times for many runs: few statements. */
function byTime(deferred: readonly DeferredRun[]): Map<number, string[]> {
  const [first] = deferred;
  const now = first?.decision.decidedAt.getTime() ?? 0;
  const times = new Map<number, string[]>();
  for (const { run, decision } of deferred) {
    const { deferral } = decision;
    const later = now + lookAgainAfter[deferral.kind];
    const end = deferral.kind === "hold" ? deferral.until : null;
    const time = Math.min(end?.getTime() ?? later, later);
    times.set(time, [...(times.get(time) ?? []), run.id]);
  }
  return times;
}
