import { type Check, failed, hasFailed, notApplicable, passed } from "./check.ts";
import { operableClasses, schedulesAt } from "./contract.ts";
import type { AssignmentFact, Facts } from "./facts.ts";

/*
 * One function per check, each pure: the facts in, what was found out. `premises` are the checks without which
 * the question has no meaning.
 */

/** What is found where a right is lacking at the tenant of a run's backup, not at its own. */
export const sourceNotCovered = "no role covers the tenant that the backup is of";
export const sourceNotSeen = "backup.view is not held at the tenant that the backup is of";

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
    return failed("tenant_not_entitled", sourceNotCovered);
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
    return failed("missing_capability", sourceNotSeen);
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
  if (facts.scheduleId !== null && schedulesAt[facts.tenant.lifecycle] !== "run")
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
