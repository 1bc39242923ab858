import { isGranted } from "../../provider/policyTypes.ts";
import { operableClasses } from "./contract.ts";
import type { AssignmentFact, ConnectionFact, Facts } from "./facts.ts";
import type { ReasonCode } from "./reasons.ts";

/** `value` is what was found, in words; `not_applicable` means the check's premise failed or does not exist. */
export type Check =
  | { result: "passed" | "not_applicable"; value: string }
  | { result: "failed"; value: string; reason: ReasonCode };

/*
 * One function per check, each pure: the facts in, what was found out. `premises` are the checks without which
 * the question has no meaning.
 */

export function checkWorkspace(facts: Facts): Check {
  if (facts.workspace === null) return failed("workspace_mismatch", "the workspace no longer exists");
  if (facts.workspace.status !== "active") return failed("workspace_mismatch", "the workspace is suspended");
  if (facts.tenant !== null && facts.tenant.workspaceId !== facts.workspaceId)
    return failed("workspace_mismatch", "the tenant belongs to another workspace");
  if (!facts.targetIntact)
    return failed("workspace_mismatch", "the target is not the one that was requested");
  return passed(facts.tenant === null ? "the workspace is active" : "the tenant belongs to this workspace");
}

export function checkInitiator(facts: Facts): Check {
  if (facts.authorityMode === "system_authority") return notApplicable("requested by the system");
  if (facts.initiator === null) return failed("initiator_missing", "the account was deleted");
  if (facts.initiator.status !== "active") return failed("initiator_not_entitled", "the account is disabled");
  if (facts.initiator.membership === null)
    return failed("initiator_not_entitled", "not a member of the workspace");
  if (facts.initiator.membership !== "active")
    return failed("initiator_not_entitled", "the membership is suspended");
  return passed("active member");
}

export function checkTenant(facts: Facts, premises: Check[]): Check {
  if (facts.tenantId === null) return notApplicable("the operation concerns no single tenant");
  if (facts.tenant === null) return failed("tenant_missing", "the tenant no longer exists");
  if (facts.authorityMode === "system_authority") return passed("the tenant exists");
  if (premises.some(hasFailed)) return notApplicable("not asked: an earlier check failed");
  const live = liveAssignments(facts, facts.assignments);
  if (live.length === 0) return failed("tenant_not_entitled", "no role covers the tenant");
  if (facts.source !== null && liveAssignments(facts, facts.source.assignments).length === 0)
    return failed("tenant_not_entitled", "no role covers the tenant that the backup is of");
  return passed(live.map(describeAssignment).join(", "));
}

export function checkCapability(facts: Facts, premises: Check[]): Check {
  const { capability, authorityModes } = facts.contract;
  if (!authorityModes.includes(facts.authorityMode)) {
    return facts.authorityMode === "system_authority"
      ? failed("system_authority_not_allowed", "the operation may only be requested by a person")
      : failed("missing_capability", "the operation may not be requested by a person");
  }
  if (facts.authorityMode === "system_authority") return checkSchedule(facts);
  if (premises.some(hasFailed)) return notApplicable("not asked: an earlier check failed");
  const roles = grantingAssignments(facts).map((assignment) => assignment.roleName);
  if (roles.length === 0) return failed("missing_capability", `${capability} is not held`);
  if (facts.source !== null && sourceAssignments(facts).length === 0)
    return failed("missing_capability", "backup.view is not held at the tenant that the backup is of");
  return passed(`${capability} is held through ${[...new Set(roles)].join(", ")}`);
}

/** The system may ask for what consents; a schedule only while it is there and active. */
function checkSchedule({ scheduleId, schedule }: Facts): Check {
  if (scheduleId === null) return passed("the operation consents to system authority");
  if (schedule === null) return failed("system_authority_not_allowed", "its schedule was deleted");
  if (schedule.status !== "active") return failed("system_authority_not_allowed", "its schedule is paused");
  return passed("the operation consents, and its schedule is active");
}

export function checkOperability(facts: Facts): Check {
  if (facts.tenantId === null) return notApplicable("the operation concerns no single tenant");
  if (facts.tenant === null) return notApplicable("the tenant no longer exists");
  // Handbook 1, "Tenant lifecycle": elsewhere schedules are paused, also for what a person may still start.
  if (facts.scheduleId !== null && facts.tenant.lifecycle !== "active")
    return failed("tenant_not_operable", facts.tenant.lifecycle);
  const permitted: readonly string[] = operableClasses[facts.tenant.lifecycle];
  return permitted.includes(facts.contract.operability)
    ? passed(facts.tenant.lifecycle)
    : failed("tenant_not_operable", facts.tenant.lifecycle);
}

export function checkConnection(facts: Facts): Check {
  const { prerequisites } = facts.contract;
  if (prerequisites.length === 0) return notApplicable("the operation needs no connection");
  if (facts.tenant === null) return notApplicable("the tenant no longer exists");
  const { connection } = facts;
  if (connection === null) return failed("provider_connection_invalid", "there is no connection");
  if (connection.tenantId !== facts.tenantId)
    return failed("provider_connection_invalid", "the connection is another tenant's");
  const found = connection.cause === null ? connection.status : `${connection.status}: ${connection.cause}`;
  if (prerequisites.includes("connection_verified") && connection.status !== "verified")
    return failed("provider_connection_invalid", found);
  return passed(found);
}

/** A preview may be carried out for this long (milliseconds) after it was made (handbook 4, "Restore"). */
export const previewMaxAge = 3_600_000;

/** A credential with less life left than this (milliseconds) is not begun with: it could end within the run. */
export const credentialReserve = 3_600_000;

/** Verified recently, with the present credential, which does not run out, and with the permissions to write. */
export function checkWriteGate(facts: Facts, premises: Check[]): Check {
  if (!facts.contract.prerequisites.includes("write_gate"))
    return notApplicable("the operation writes nothing at the provider");
  const { connection, now } = facts;
  if (connection === null || premises.some(hasFailed))
    return notApplicable("not asked: an earlier check failed");
  if (connection.verifiedVersion !== connection.credentialVersion)
    return failed("write_gate_blocked", "the credential changed since it was verified");
  const until = endOfVerification(facts, connection);
  if (until === null || until <= now) return failed("write_gate_blocked", "the last verification is too old");
  const life = (connection.credentialExpiresAt?.getTime() ?? Number.POSITIVE_INFINITY) - now.getTime();
  if (life <= 0) return failed("write_gate_blocked", "the credential has expired");
  if (facts.phase !== "checkpoint" && life < credentialReserve)
    return failed("write_gate_blocked", "the credential expires within the hour");
  const missing = facts.writeRoles.filter((role) => !isGranted(role, connection.grantedRoles));
  if (missing.length > 0) return failed("write_gate_blocked", `${missing.join(", ")} is not granted`);
  return passed("open");
}

/** Until when the last verification opens the write gate; null when there was none. */
export function endOfVerification(
  { writeGateMaxAgeHours }: Pick<Facts, "writeGateMaxAgeHours">,
  { verifiedAt }: Pick<ConnectionFact, "verifiedAt">,
): Date | null {
  return verifiedAt === null ? null : new Date(verifiedAt.getTime() + writeGateMaxAgeHours * 3_600_000);
}

export function checkPrerequisites(facts: Facts): Check {
  const problem =
    expiryProblem(facts) ?? sourceProblem(facts) ?? planProblem(facts) ?? approvalProblem(facts);
  if (problem !== null) return failed("execution_prerequisite_invalid", problem);
  return passed("the request is in time");
}

/** "Do not start after": what has begun in time may go on to its end. */
function expiryProblem(facts: Facts): string | null {
  const isLate = facts.phase !== "checkpoint" && facts.now >= facts.requestExpiresAt;
  return isLate ? "the request expired before it could begin" : null;
}

function sourceProblem({ contract, source }: Facts): string | null {
  if (!contract.prerequisites.includes("source_exists") || source !== null) return null;
  return "the backup it would take from no longer exists";
}

function planProblem({ contract, plan, phase, hasBegun, now }: Facts): string | null {
  if (!contract.prerequisites.includes("preview_fresh")) return null;
  if (plan === null) return "its preview no longer exists";
  if (!plan.matches) return "its preview is not the one that was confirmed";
  if (plan.isTaken) return "its preview was carried out by another run";
  if (plan.staleReason !== null) return plan.staleReason;
  const isOld = now.getTime() - plan.completedAt.getTime() >= previewMaxAge;
  const isBeginning = phase !== "checkpoint" && !hasBegun;
  return isOld && isBeginning ? "its preview is more than an hour old" : null;
}

function approvalProblem({ contract, connection }: Facts): string | null {
  return contract.prerequisites.includes("write_gate") ? (connection?.approvalRequired ?? null) : null;
}

function liveAssignments({ now }: Facts, assignments: AssignmentFact[]): AssignmentFact[] {
  return assignments.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
}

/** The live assignments whose role grants the capability that the operation needs. */
export function grantingAssignments(facts: Facts): AssignmentFact[] {
  return liveAssignments(facts, facts.assignments).filter(({ capabilities }) =>
    capabilities.includes(facts.contract.capability),
  );
}

/** Those through which the initiator may see the backup it takes from. */
export function sourceAssignments(facts: Facts): AssignmentFact[] {
  return liveAssignments(facts, facts.source?.assignments ?? []).filter(({ capabilities }) =>
    capabilities.includes("backup.view"),
  );
}

function describeAssignment({ roleName, allTenants }: AssignmentFact): string {
  return `${roleName} at ${allTenants ? "all tenants" : "this tenant"}`;
}

function hasFailed(check: Check): boolean {
  return check.result === "failed";
}

function passed(value: string): Check {
  return { result: "passed", value };
}

function notApplicable(value: string): Check {
  return { result: "not_applicable", value };
}

function failed(reason: ReasonCode, value: string): Check {
  return { result: "failed", value, reason };
}
