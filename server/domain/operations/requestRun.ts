import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import type { Capability } from "../authority/capabilities.ts";
import type { Decision } from "../authority/decide.ts";
import { gateRequest } from "../authority/gate.ts";
import { type DenialClass, denials, type ReasonCode } from "../authority/reasons.ts";
import { contractOf } from "./catalog.ts";
import { enqueueRuns } from "./enqueue.ts";
import { finishRuns } from "./finishRuns.ts";
import { type FrozenRun, freezeRequest, insertRun, type RunRequest } from "./freezeRequest.ts";
import { recordDecisions } from "./recordDecisions.ts";
import { collapseRepeat } from "./repeats.ts";
import { type Run, runColumns, subjectOf } from "./run.ts";

export type RequestOutcome =
  | { kind: "stored"; runId: string; blocked: boolean }
  | { kind: "refused"; reasonCode: ReasonCode; denialClass: DenialClass; capability: Capability };

/**
 * Requests a run: the same rules as at execution, at once (handbook 1, "At request"). What lacks scope,
 * initiator or capability is refused without a run, audited; what is not operable or lacks a prerequisite is
 * stored already blocked, for monitoring; a denied system request is always stored, repeats collapsed. An
 * allowed request is stored and enqueued in one transaction.
 */
export async function requestRun(db: Db, request: RunRequest): Promise<RequestOutcome> {
  return retrying(() => db.transaction((tx) => requestIn(tx, request), workerBounds));
}

async function requestIn(tx: Tx, request: RunRequest): Promise<RequestOutcome> {
  const earlier = await findByRequestKey(tx, request);
  if (earlier !== undefined) return stored(earlier);
  const run = await freezeRequest(tx, request);
  const decision = await gateRequest(tx, subjectOf(run));
  if (decision.verdict === "denied" && refusesOutright(request, decision.denialClass))
    return refuse(tx, request, decision);
  if (decision.verdict === "denied" && request.initiator === null) {
    const repeated = await collapseRepeat(tx, run, decision.reasonCode);
    if (repeated !== undefined) {
      await recordRequest(tx, request, repeated, decision);
      return { kind: "stored", runId: repeated, blocked: true };
    }
  }
  return store(tx, request, run, decision);
}

/** Repeating a request finds what the first one made; the unique key holds when both come at once. */
async function findByRequestKey(tx: Tx, request: RunRequest): Promise<Run | undefined> {
  const [run] = await tx.query<Run>(
    `select ${runColumns} from operation_runs
     where workspace_id = $1 and initiator_id = $2 and request_key = $3`,
    [request.workspaceId, request.initiator?.id ?? null, request.requestKey],
  );
  return run;
}

/** A stranger learns nothing and a person without the right gets no run; the system's denials are kept. */
function refusesOutright(request: RunRequest, denialClass: DenialClass): boolean {
  if (request.initiator === null) return false;
  return (
    denialClass === "scope_denied" ||
    denialClass === "initiator_invalid" ||
    denialClass === "capability_denied"
  );
}

async function refuse(
  tx: Tx,
  request: RunRequest,
  decision: Extract<Decision, { verdict: "denied" }>,
): Promise<RequestOutcome> {
  const { reasonCode, denialClass } = decision;
  const { capability } = contractOf(request.operation);
  await recordAudit(tx, {
    workspaceId: request.workspaceId,
    tenantId: request.tenantId,
    actor: request.initiator,
    action: "run.refused",
    subject: { type: "tenant", id: request.tenantId },
    outcome: "denied",
    details: { operation: request.operation, reasonCode, denialClass, checks: decision.checks },
  });
  return { kind: "refused", reasonCode, denialClass, capability };
}

async function store(
  tx: Tx,
  request: RunRequest,
  run: FrozenRun,
  decision: Decision,
): Promise<RequestOutcome> {
  const inserted = await insertRun(tx, request, run, decision);
  if (!inserted) {
    const winner = await findByRequestKey(tx, request);
    if (winner === undefined) throw new Error("A request's key is taken by a run that cannot be found.");
    return stored(winner);
  }
  await recordRequest(tx, request, run.id, decision);
  if (decision.verdict !== "denied") {
    await enqueueRuns(tx, [run.id]);
    return stored(run);
  }
  const { reasonCode } = decision;
  await recordDecisions(tx, [{ runId: run.id, attempt: 0, phase: "request", decision }]);
  await finishRuns(tx, [
    { run, ending: { outcome: "blocked", reasonCode, denialClass: denials[reasonCode].denialClass } },
  ]);
  return { kind: "stored", runId: run.id, blocked: true };
}

function stored(run: Run): RequestOutcome {
  return { kind: "stored", runId: run.id, blocked: run.outcome === "blocked" };
}

/** Every request is audited, also one that only counts as a repeat of the run it names. */
async function recordRequest(tx: Tx, request: RunRequest, runId: string, decision: Decision): Promise<void> {
  const authorityMode = request.initiator === null ? "system_authority" : "actor_bound";
  await recordAudit(tx, {
    workspaceId: request.workspaceId,
    tenantId: request.tenantId,
    actor: request.initiator,
    action: "run.requested",
    subject: { type: "run", id: runId },
    outcome: decision.verdict === "denied" ? "denied" : "allowed",
    details: { operation: request.operation, authorityMode, trigger: request.trigger },
  });
}
