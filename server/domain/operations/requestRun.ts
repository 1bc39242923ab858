import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import type { Capability } from "../authority/capabilities.ts";
import type { Checks, Decision } from "../authority/decide.ts";
import { gateRequest } from "../authority/gate.ts";
import { type DenialClass, denials, type ReasonCode } from "../authority/reasons.ts";
import { contractOf } from "./catalog.ts";
import { enqueueRuns } from "./enqueue.ts";
import { finishRuns } from "./finishRuns.ts";
import { type FrozenRun, freezeRequest, insertRun, type RunRequest } from "./freezeRequest.ts";
import { recordDecisions } from "./recordDecisions.ts";
import { collapseRepeat } from "./repeats.ts";
import { findByRequestKey } from "./requestKeys.ts";
import { mayRerunStill } from "./rerunRight.ts";
import { type Run, subjectOf } from "./run.ts";

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
  return retrying(() => db.transaction((tx) => requestRunIn(tx, request), workerBounds));
}

/**
 * The same within the caller's transaction, which is READ COMMITTED, has taken no row lock that a change of
 * authority could wait for, and is tried again as a whole when it loses a lock.
 */
export async function requestRunIn(tx: Tx, request: RunRequest): Promise<RequestOutcome> {
  return requestOr<never>(tx, request, async () => undefined);
}

/** The same, unless `instead` answers for a request that would be accepted: then nothing is stored. */
export async function requestOr<T>(
  tx: Tx,
  request: RunRequest,
  instead: (run: FrozenRun) => Promise<T | undefined>,
): Promise<RequestOutcome | T> {
  const earlier = await findByRequestKey(tx, request);
  if (earlier !== undefined) return stored(earlier);
  const run = await freezeRequest(tx, request);
  const decision = await gateRequest(tx, subjectOf(run));
  if (decision.verdict === "denied" && refusesOutright(request, decision.denialClass))
    return refuse(tx, request, decision, contractOf(request.operation).capability);
  if (!(await mayRerunStill(tx, request)))
    return refuse(tx, request, lackingRerun(decision), "operations.rerun");
  if (decision.verdict === "denied" && request.initiator === null) {
    const repeated = await collapseRepeat(tx, run, decision.reasonCode);
    if (repeated !== undefined) {
      await recordRequest(tx, request, repeated, decision);
      return { kind: "stored", runId: repeated, blocked: true };
    }
  }
  if (decision.verdict !== "denied") {
    const other = await instead(run);
    if (other !== undefined) return other;
  }
  return store(tx, request, run, decision);
}

function lackingRerun({ checks }: Decision): Refusal {
  return { reasonCode: "missing_capability", denialClass: denials.missing_capability.denialClass, checks };
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

type Refusal = { reasonCode: ReasonCode; denialClass: DenialClass; checks: Checks };

async function refuse(
  tx: Tx,
  request: RunRequest,
  { reasonCode, denialClass, checks }: Refusal,
  capability: Capability,
): Promise<RequestOutcome> {
  await recordAudit(tx, {
    workspaceId: request.workspaceId,
    tenantId: request.tenantId,
    actor: request.initiator,
    action: "run.refused",
    subject: { type: "tenant", id: request.tenantId },
    outcome: "denied",
    details: { operation: request.operation, reasonCode, denialClass, capability, checks },
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
    details: {
      operation: request.operation,
      authorityMode,
      trigger: request.trigger,
      ...(request.rerunOf !== undefined && { rerunOf: request.rerunOf }),
      ...(request.scheduleId !== undefined && { schedule: request.scheduleId }),
    },
  });
}
