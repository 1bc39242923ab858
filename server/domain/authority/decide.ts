import {
  type Check,
  checkCapability,
  checkConnection,
  checkInitiator,
  checkOperability,
  checkPrerequisites,
  checkTenant,
  checkWorkspace,
  checkWriteGate,
  grantingAssignments,
} from "./checks.ts";
import type { Facts } from "./facts.ts";
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

/** Not now: the tenant is held, by whom and why, until then or until somebody releases it. */
export type Deferral = { kind: "hold"; reason: string; by: string; until: Date | null };

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
  const deferral = facts.phase === "begin" ? deferralOf(facts) : null;
  if (deferral !== null) return { ...base, verdict: "deferred", deferral };
  const reasonCode = Object.values(checks)
    .flatMap((check) => (check.result === "failed" ? [check.reason] : []))
    .sort((a, b) => precedenceOf(a) - precedenceOf(b))[0];
  if (reasonCode !== undefined) return { ...base, verdict: "denied", reasonCode, ...denials[reasonCode] };
  return { ...base, verdict: "allowed", validUntil: endOfRights(facts) };
}

function deferralOf({ hold, now }: Facts): Deferral | null {
  if (hold === null || (hold.until !== null && hold.until <= now)) return null;
  return { kind: "hold", reason: hold.reason, by: hold.placedByName, until: hold.until };
}

/** The union of roles: while any assignment that grants the capability lives, so does the right. */
function endOfRights(facts: Facts): Date | null {
  if (facts.authorityMode === "system_authority") return null;
  const ends = grantingAssignments(facts).map((assignment) => assignment.expiresAt);
  if (ends.includes(null)) return null;
  return new Date(Math.max(...ends.flatMap((end) => (end === null ? [] : [end.getTime()]))));
}
