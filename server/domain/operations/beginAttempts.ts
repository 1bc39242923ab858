import type { Tx } from "../../db/database.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import type { Decision } from "../authority/decide.ts";
import { cancellationOf } from "./cancellation.ts";
import type { OperationName } from "./catalog.ts";
import { deferRuns } from "./deferRuns.ts";
import type { Ending } from "./ending.ts";
import { finishRuns } from "./finishRuns.ts";
import { type GatedRun, gateRuns } from "./gateRuns.ts";
import { recordDecisions } from "./recordDecisions.ts";
import type { Run } from "./run.ts";

/** One delivery of a job: whose task it came to, which run it is for, and the queue's own id of it. */
export type Delivery = { operation: OperationName; runId: string; jobId: string };

/**
 * What may happen with a delivery. Only `authorized` lets the task run; its `run` carries the new token.
 * `foreign`: the run is of another operation than the task; `absent`: there is no such run; `undecided`: the
 * gate could not be asked.
 */
export type Begun =
  | { kind: "authorized"; run: Run }
  | {
      kind: "blocked" | "cancelled" | "deferred" | "ended" | "elsewhere" | "foreign" | "absent" | "undecided";
    };

type Plan = { run: Run; begun: Begun; decision: Decision | null; ending?: Ending };

/** How a run ends whose last attempt took its worker with it. */
const workerLost: Ending = {
  outcome: "failed",
  code: "worker_lost",
  message: "The worker was lost during the last attempt.",
};

/** A run with a sign of life this recent (milliseconds) is alive; a second job for it is a duplicate. */
const aliveFor = 60_000;

/**
 * Begins attempts of runs, many in one transaction: gate, then `running` with a new fencing token, or
 * `blocked`, or left `queued` when deferred. A run is never `running` before its gate said yes. A denial is
 * final; a deferral spends no attempt and leaves a job for later. Answers in the order of the deliveries.
 */
export async function beginAttempts(tx: Tx, deliveries: readonly Delivery[]): Promise<Begun[]> {
  const chosen = chooseDeliveries(deliveries);
  const gated = await gateRuns(tx, [...chosen.keys()], "begin");
  const plans = gated.map((answer) => plan(answer, chosen.get(answer.run.id)));
  await startRuns(tx, plans);
  // Before any ends: it may be the one that another of these has just been told to wait for.
  await deferRuns(
    tx,
    plans.flatMap(({ run, begun, decision }) =>
      begun.kind === "deferred" && decision?.verdict === "deferred" ? [{ run, decision }] : [],
    ),
  );
  await endRuns(tx, plans);
  const begun = new Map(plans.map((planned) => [planned.run.id, planned.begun]));
  return deliveries.map((delivery) => {
    const answer = begun.get(delivery.runId) ?? { kind: "absent" };
    return chosen.get(delivery.runId) === delivery ? answer : { kind: "elsewhere" };
  });
}

/** One job per run: a duplicate that comes in the same moment must not share the attempt of the other. */
function chooseDeliveries(deliveries: readonly Delivery[]): Map<string, Delivery> {
  return new Map(deliveries.toReversed().map((delivery) => [delivery.runId, delivery]));
}

function plan({ run, decision }: GatedRun, delivery: Delivery | undefined): Plan {
  if (delivery?.operation !== run.operation) return { run, begun: { kind: "foreign" }, decision };
  const { jobId } = delivery;
  if (decision === null) return { run, begun: { kind: "ended" }, decision };
  if (run.awaitsChildren) return { run, begun: { kind: "elsewhere" }, decision };
  if (run.status === "running" && run.jobId !== jobId && isAlive(run, decision.decidedAt))
    return { run, begun: { kind: "elsewhere" }, decision };
  // What somebody ended is not judged any more.
  const cancellation = cancellationOf(run);
  if (cancellation !== null) return { run, begun: { kind: "cancelled" }, decision, ending: cancellation };
  if (decision.verdict === "denied") {
    const { reasonCode, denialClass } = decision;
    const ending = { outcome: "blocked", reasonCode, denialClass } as const;
    return { run, begun: { kind: "blocked" }, decision, ending };
  }
  if (run.attempt >= run.maxAttempts) return { run, begun: { kind: "ended" }, decision, ending: workerLost };
  if (decision.verdict === "deferred") return { run, begun: { kind: "deferred" }, decision };
  return { run, begun: { kind: "authorized", run: nextAttempt(run, jobId) }, decision };
}

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

async function startRuns(tx: Tx, plans: readonly Plan[]): Promise<void> {
  const starting = plans.flatMap(({ begun, decision }) =>
    begun.kind === "authorized" && decision !== null ? [{ run: begun.run, decision }] : [],
  );
  if (starting.length === 0) return;
  // Attempt-keyed effects of earlier attempts are left out of the tally: the new attempt does them again.
  await tx.query(
    `update operation_runs r set status = 'running', attempt = s.attempt, fencing_token = s.token,
       job_id = s.job_id, started_at = coalesce(r.started_at, s.decided_at),
       heartbeat_at = clock_timestamp(), waiting_reason = null, next_attempt_at = null,
       progress_done = case when s.token = 1 then 0 else
         (select coalesce(sum(e.items), 0) from effects e where e.run_id = r.id and e.attempt is null) end,
       tally = case when s.token = 1 then '{}' else tally_of_effects(r.id) end
     from jsonb_to_recordset($1::jsonb) as s (id uuid, attempt integer, token bigint, job_id text,
       decided_at timestamptz)
     where r.id = s.id`,
    [
      JSON.stringify(
        starting.map(({ run, decision }) => ({
          id: run.id,
          attempt: run.attempt,
          token: run.fencingToken,
          job_id: run.jobId,
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
  const denied = ending.filter((one) => one.ending.outcome === "blocked");
  await recordDecisions(
    tx,
    denied.map(({ run, decision }) => ({
      runId: run.id,
      attempt: Math.min(run.attempt + 1, run.maxAttempts),
      phase: "begin" as const,
      decision,
    })),
  );
  await finishRuns(tx, ending);
}
