import type { Check } from "./check.ts";
import {
  checkCapability,
  checkConnection,
  checkInitiator,
  checkOperability,
  checkTenant,
  checkWorkspace,
  grantingAssignments,
  sourceAssignments,
} from "./checks.ts";
import type { AssignmentFact, Facts, HoldFact } from "./facts.ts";
import { checkPrerequisites, checkWriteGate, endOfVerification } from "./prerequisiteChecks.ts";
import { type DenialClass, denials, precedenceOf, type ReasonCode } from "./reasons.ts";

export const checkNames = [
  "workspace_scope",
  "initiator",
  "tenant_scope",
  "capability",
  "tenant_operability",
  "provider_connection",
  "write_gate",
  "execution_prerequisites",
] as const;
export type CheckName = (typeof checkNames)[number];

export type Checks = Record<CheckName, Check>;

export type Decision = { checks: Checks; decidedAt: Date } & (
  | {
      verdict: "allowed";
      /** Until when the rights relied on last; null: no end is known. */
      validUntil: Date | null;
    }
  | { verdict: "denied"; reasonCode: ReasonCode; denialClass: DenialClass; retryable: boolean }
  | { verdict: "deferred"; deferral: Deferral }
);

/**
 * Not now. `hold`: the tenant or the whole workspace is held, by whom and why, until then or until somebody
 * releases it. `turn`: another run writes at the tenant first. `concurrency`: as many of the tenant's runs are
 * under way as may be at once.
 */
export type Deferral =
  | { kind: "hold"; of: "tenant" | "workspace"; reason: string; by: string; until: Date | null }
  | { kind: "turn"; runId: string; operation: string; by: string | null }
  | { kind: "concurrency"; running: number };

/**
 * Whether a run may begin, or have its next effect, under these facts. Pure and total: every rule of who may
 * do what is here, in the checks beside it, and in the operations catalog (handbook 1, "Denials", "Tenant lifecycle").
 */
export function decide(facts: Facts): Decision {
  const provider_connection = checkConnection(facts);
  const workspace_scope = checkWorkspace(facts);
  const initiator = checkInitiator(facts);
  const tenant_scope = checkTenant(facts, [workspace_scope, initiator]);
  const checks: Checks = {
    workspace_scope,
    initiator,
    tenant_scope,
    capability: checkCapability(facts, [workspace_scope, initiator, tenant_scope]),
    tenant_operability: checkOperability(facts),
    provider_connection,
    write_gate: checkWriteGate(facts, [provider_connection]),
    execution_prerequisites: checkPrerequisites(facts),
  };
  return conclude(facts, checks);
}

function conclude(facts: Facts, checks: Checks): Decision {
  const base = { checks, decidedAt: facts.now };
  // A held run is not judged yet: it waits, and is judged by what holds when it is released.
  const hold = facts.phase === "begin" ? holdOf(facts) : null;
  if (hold !== null) return { ...base, verdict: "deferred", deferral: hold };
  const reasonCode = Object.values(checks)
    .flatMap((check) => (check.result === "failed" ? [check.reason] : []))
    .sort((a, b) => precedenceOf(a) - precedenceOf(b))[0];
  if (reasonCode !== undefined) return { ...base, verdict: "denied", reasonCode, ...denials[reasonCode] };
  // Only what may begin waits for its turn: what may not should not be kept waiting to hear it.
  const line = facts.phase === "begin" ? (turnOf(facts) ?? concurrencyOf(facts)) : null;
  if (line !== null) return { ...base, verdict: "deferred", deferral: line };
  return { ...base, verdict: "allowed", validUntil: endOfAuthority(facts) };
}

/** The wider one first: releasing the narrower would not let the run begin. */
function holdOf({ hold, workspaceHold, now }: Facts): Deferral | null {
  if (workspaceHold !== null && holdsBack(workspaceHold, now)) return heldBy("workspace", workspaceHold);
  return hold !== null && holdsBack(hold, now) ? heldBy("tenant", hold) : null;
}

/** A run that somebody let through waits for no hold that stood then; one placed later holds it again. */
function holdsBack({ until, letThroughAt, placedAt }: HoldFact, now: Date): boolean {
  const isOver = until !== null && until <= now;
  return !isOver && (letThroughAt === null || letThroughAt < placedAt);
}

function heldBy(of: "tenant" | "workspace", { reason, placedByName, until }: HoldFact): Deferral {
  return { kind: "hold", of, reason, by: placedByName, until };
}

function turnOf({ turn }: Facts): Deferral | null {
  if (turn === null) return null;
  return { kind: "turn", runId: turn.runId, operation: turn.operation, by: turn.initiatorName };
}

function concurrencyOf({ tenantId, tenantRunning, tenantConcurrency }: Facts): Deferral | null {
  if (tenantId === null || tenantRunning < tenantConcurrency) return null;
  return { kind: "concurrency", running: tenantRunning };
}

/** The earliest end of anything the verdict relied on; null: no end is known. */
function endOfAuthority(facts: Facts): Date | null {
  const ends = [...endsOfRights(facts), ...endsOfWriteGate(facts)].filter((end) => end !== null);
  return ends.length === 0 ? null : new Date(Math.min(...ends.map((end) => end.getTime())));
}

function endsOfRights(facts: Facts): (Date | null)[] {
  if (facts.authorityMode === "system_authority") return [];
  const rights = [lastEnd(grantingAssignments(facts))];
  return facts.source === null ? rights : [...rights, lastEnd(sourceAssignments(facts))];
}

/** The union of roles: while any of the assignments lives, so does the right. */
function lastEnd(assignments: readonly AssignmentFact[]): Date | null {
  const ends = assignments.map((assignment) => assignment.expiresAt);
  if (ends.includes(null)) return null;
  return new Date(Math.max(...ends.flatMap((end) => (end === null ? [] : [end.getTime()]))));
}

function endsOfWriteGate(facts: Facts): (Date | null)[] {
  const { contract, connection } = facts;
  if (!contract.prerequisites.includes("write_gate") || connection === null) return [];
  return [endOfVerification(facts, connection), connection.credentialExpiresAt];
}
