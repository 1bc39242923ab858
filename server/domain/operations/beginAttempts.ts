import type { Tx } from "../../db/database.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import type { Decision } from "../authority/decide.ts";
import { enqueueRuns } from "./enqueue.ts";
import { type Ending, finishRuns } from "./finishRuns.ts";
import { type GatedRun, gateRuns } from "./gateRuns.ts";
import { recordDecisions } from "./recordDecisions.ts";
import type { Run } from "./run.ts";

/** One delivery of a job: which run it is for, and the queue's own id of it. */
export type Delivery = { runId: string; jobId: string };

/** What may happen with a delivery. Only `authorized` lets the task run; its `run` carries the new token. */
export type Begun =
  | { kind: "authorized"; run: Run }
  | { kind: "blocked" | "deferred" | "ended" | "elsewhere" | "absent" };

type Plan = { run: Run; begun: Begun; decision: Decision | null; ending?: Ending };

/** A run with a sign of life this recent (milliseconds) is alive; a second job for it is a duplicate. */
const aliveFor = 60_000;
/** A held run's job looks again after this long (milliseconds), in case nobody released it through us. */
const lookAgainAfter = 300_000;

/**
 * Begins attempts of runs, many in one transaction: gate, then `running` with a new fencing token, or
 * `blocked`, or left `queued` when deferred. A run is never `running` before its gate said yes. A denial is
 * final; a deferral spends no attempt and leaves a job for later.
 */
export async function beginAttempts(tx: Tx, deliveries: readonly Delivery[]): Promise<Map<string, Begun>> {
  const jobOf = new Map(deliveries.map(({ runId, jobId }) => [runId, jobId]));
  const gated = await gateRuns(tx, [...jobOf.keys()], "begin");
  const plans = gated.map((answer) => plan(answer, jobOf.get(answer.run.id) ?? ""));
  await startRuns(tx, plans, jobOf);
  await endRuns(tx, plans);
  await deferRuns(tx, plans);
  const begun = new Map<string, Begun>(plans.map(({ run, begun }) => [run.id, begun]));
  return new Map(deliveries.map(({ runId }) => [runId, begun.get(runId) ?? { kind: "absent" }]));
}

function plan({ run, decision }: GatedRun, jobId: string): Plan {
  if (decision === null) return { run, begun: { kind: "ended" }, decision };
  if (run.status === "running" && run.jobId !== jobId && isAlive(run, decision.decidedAt))
    return { run, begun: { kind: "elsewhere" }, decision };
  if (decision.verdict === "denied") {
    const { reasonCode, denialClass } = decision;
    const ending = { outcome: "blocked", reasonCode, denialClass } as const;
    return { run, begun: { kind: "blocked" }, decision, ending };
  }
  if (run.attempt >= run.maxAttempts) return { run, begun: { kind: "ended" }, decision, ending: lost };
  if (decision.verdict === "deferred") return { run, begun: { kind: "deferred" }, decision };
  return { run, begun: { kind: "authorized", run: nextAttempt(run, jobId) }, decision };
}

const lost: Ending = {
  outcome: "failed",
  code: "worker_lost",
  message: "The worker was lost during the last attempt.",
};

function isAlive(run: Run, now: Date): boolean {
  return run.heartbeatAt !== null && now.getTime() - run.heartbeatAt.getTime() < aliveFor;
}

/** A run still `running` when its job comes again had its worker lost: the old token ends here. */
function nextAttempt(run: Run, jobId: string): Run {
  const fencingToken = String(BigInt(run.fencingToken) + 1n);
  return {
    ...run,
    status: "running",
    attempt: run.attempt + 1,
    fencingToken,
    waitingReason: null,
    jobId,
  };
}

async function startRuns(tx: Tx, plans: readonly Plan[], jobOf: ReadonlyMap<string, string>): Promise<void> {
  const starting = plans.flatMap(({ begun, decision }) =>
    begun.kind === "authorized" && decision !== null ? [{ run: begun.run, decision }] : [],
  );
  if (starting.length === 0) return;
  // Attempt-keyed effects of earlier attempts are left out of the tally: the new attempt does them again.
  await tx.query(
    `update operation_runs r set status = 'running', attempt = s.attempt, fencing_token = s.token,
       job_id = s.job_id, started_at = coalesce(r.started_at, s.decided_at),
       heartbeat_at = clock_timestamp(), waiting_reason = null, next_attempt_at = null,
       progress_done = case when s.attempt = 1 then 0 else
         (select coalesce(sum(e.items), 0) from effects e where e.run_id = r.id and e.attempt is null) end,
       tally = case when s.attempt = 1 then '{}' else tally_of_effects(r.id) end
     from jsonb_to_recordset($1::jsonb) as s (id uuid, attempt integer, token bigint, job_id text,
       decided_at timestamptz)
     where r.id = s.id`,
    [
      JSON.stringify(
        starting.map(({ run, decision }) => ({
          id: run.id,
          attempt: run.attempt,
          token: run.fencingToken,
          job_id: jobOf.get(run.id),
          decided_at: decision.decidedAt,
        })),
      ),
    ],
  );
  await recordDecisions(
    tx,
    starting.map(({ run, decision }) => ({
      runId: run.id,
      attempt: run.attempt,
      phase: "begin" as const,
      decision,
    })),
  );
  await recordAudit(tx, ...starting.map(({ run }) => started(run)));
}

function started(run: Run): AuditEvent {
  return {
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    actor: null,
    action: "run.started",
    subject: { type: "run", id: run.id },
    outcome: "allowed",
    details: { operation: run.operation, attempt: run.attempt, verdict: "allowed" },
  };
}

async function endRuns(tx: Tx, plans: readonly Plan[]): Promise<void> {
  const ending = plans.flatMap(({ run, decision, ending }) =>
    ending === undefined || decision === null ? [] : [{ run, decision, ending }],
  );
  const denied = ending.filter(({ decision }) => decision.verdict === "denied");
  await recordDecisions(
    tx,
    denied.map(({ run, decision }) => ({
      runId: run.id,
      attempt: run.attempt + 1,
      phase: "begin" as const,
      decision,
    })),
  );
  await finishRuns(tx, ending);
}

async function deferRuns(tx: Tx, plans: readonly Plan[]): Promise<void> {
  for (const { run, begun, decision } of plans) {
    if (begun.kind !== "deferred" || decision?.verdict !== "deferred") continue;
    await tx.query(
      `update operation_runs set status = 'queued', waiting_reason = 'hold' where id = $1
       and (status, waiting_reason) is distinct from ('queued', 'hold')`,
      [run.id],
    );
    const later = new Date(decision.decidedAt.getTime() + lookAgainAfter);
    const { until } = decision.deferral;
    await enqueueRuns(tx, [run.id], { runAt: until !== null && until < later ? until : later });
  }
}
