import type { Lifecycle, Prerequisite } from "../../domain/authority/contract.ts";
import type { Facts, Phase } from "../../domain/authority/facts.ts";
import { contractOf } from "../../domain/operations/catalog.ts";
import { getRole, northwind, type Person, type Role } from "./cast.ts";
import { grantedRolesOf } from "./directories.ts";
import type { PastRun, World } from "./pastRun.ts";

/** The facts of a past moment in which nothing stood in the way of the run. */
export function untroubled(run: PastRun, phase: Phase, now: Date, requestExpiresAt: Date): Facts {
  const { tenant, by, schedule } = run;
  const contract = contractOf(run.operation);
  const assignments = by === null ? [] : assignmentsOf(by);
  const needs = (prerequisite: Prerequisite) => contract.prerequisites.includes(prerequisite);
  return {
    now,
    phase,
    contract,
    authorityMode: by === null ? "system_authority" : "actor_bound",
    workspaceId: tenant.workspace.id,
    tenantId: tenant.id,
    requestExpiresAt,
    targetIntact: true,
    workspace: { status: "active" },
    initiator: by === null ? null : { status: "active", membership: "active" },
    writeRoles: [],
    assignments,
    tenant: { workspaceId: tenant.workspace.id, lifecycle: "active" },
    turn: null,
    hasBegun: phase === "checkpoint",
    source: needs("source_exists") ? { tenantId: tenant.id, assignments } : null,
    plan: needs("preview_fresh")
      ? { matches: true, completedAt: now, isTaken: false, staleReason: null }
      : null,
    selection: null,
    scheduleId: schedule?.id ?? null,
    schedule: schedule === undefined ? null : { status: "active" },
    writeGateMaxAgeHours: 24,
    hold: null,
    workspaceHold: null,
    tenantRunning: 0,
    tenantConcurrency: 4,
    connection: {
      tenantId: tenant.id,
      status: "verified",
      cause: null,
      verifiedAt: now,
      credentialVersion: 1,
      verifiedVersion: 1,
      credentialExpiresAt: null,
      grantedRoles: grantedRolesOf(tenant),
      approvalRequired: null,
    },
  };
}

function assignmentsOf({ holds }: Person): Facts["assignments"] {
  return holds === null ? [] : [assignmentOf(holds.role, holds.tenant === null)];
}

function assignmentOf(role: Role, allTenants: boolean): Facts["assignments"][number] {
  return {
    roleId: role.id,
    roleName: role.name,
    capabilities: [...role.capabilities],
    allTenants,
    expiresAt: null,
  };
}

export function tenantWas(lifecycle: Lifecycle): World {
  return (facts) => ({
    ...facts,
    tenant: facts.tenant === null ? null : { ...facts.tenant, lifecycle },
  });
}

export function roleWas(key: string): World {
  const assignments = [assignmentOf(getRole(northwind, key), true)];
  return (facts) => ({
    ...facts,
    assignments,
    source: facts.source === null ? null : { ...facts.source, assignments },
  });
}

export function connectionWasInvalid(cause: string): World {
  return (facts) => ({
    ...facts,
    connection: facts.connection === null ? null : { ...facts.connection, status: "invalid", cause },
  });
}

export const accountWasDeleted: World = (facts) => ({ ...facts, initiator: null, assignments: [] });
