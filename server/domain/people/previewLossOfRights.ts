import type { Reader } from "../../db/database.ts";
import type { AssignmentFact, Facts } from "../authority/facts.ts";
import { countStopped, type OpenRun, openRunLimit, type Stopped } from "../operations/countStopped.ts";
import type { Assignment } from "./assignments.ts";

/** One right that a change takes away, where: at one tenant, or at all of them (null). */
export type LostRight = { capability: string; tenantName: string | null };

/**
 * What live assignments granted before and none grants after, wherever it was granted. What goes everywhere is
 * not named again for single tenants.
 */
export function lostRights(before: readonly Assignment[], after: readonly Assignment[]): LostRight[] {
  const lost = new Map<string, LostRight>();
  for (const { role, tenantId, tenantName, lapsed } of before) {
    if (lapsed) continue;
    for (const capability of role.capabilities) {
      if (!after.some((assignment) => grants(assignment, capability, tenantId)))
        lost.set(`${capability} ${tenantId}`, { capability, tenantName });
    }
  }
  return [...lost.values()].filter(
    ({ capability, tenantName }) => tenantName === null || !lost.has(`${capability} ${null}`),
  );
}

function grants(assignment: Assignment, capability: string, tenantId: string | null): boolean {
  if (assignment.lapsed || !assignment.role.capabilities.includes(capability)) return false;
  return assignment.tenantId === null || assignment.tenantId === tenantId;
}

/** How a member would stand: with these assignments, or no longer a member at all. */
export type Standing = { membership: "kept" | "ended"; assignments: readonly Assignment[] };

/**
 * What it would stop if the person stood so from now on: of the runs they asked for that have not ended, those
 * the gate would let through now and would deny then. At most 1,000 runs are looked at; takes no locks.
 */
export async function previewLossOfRights(
  reader: Reader,
  person: { workspaceId: string; userId: string },
  standing: Standing,
): Promise<Stopped> {
  const runs = await listOpenRunsOf(reader, person.workspaceId, person.userId);
  return countStopped(reader, runs, (facts) => withStanding(facts, standing));
}

/** What it would stop in the workspace if the person's account were disabled; like `previewLossOfRights`. */
export async function previewDisabledAccount(
  reader: Reader,
  person: { workspaceId: string; userId: string },
): Promise<Stopped> {
  const runs = await listOpenRunsOf(reader, person.workspaceId, person.userId);
  return countStopped(reader, runs, (facts) => ({
    ...facts,
    initiator: facts.initiator && { ...facts.initiator, status: "disabled" },
  }));
}

function withStanding(facts: Facts, { membership, assignments }: Standing): Facts {
  const covering = (tenantId: string | null) =>
    assignments.filter((held) => held.tenantId === null || held.tenantId === tenantId).map(toFact);
  return {
    ...facts,
    initiator:
      facts.initiator === null || membership === "kept"
        ? facts.initiator
        : { ...facts.initiator, membership: null },
    assignments: covering(facts.tenantId),
    source: facts.source && { ...facts.source, assignments: covering(facts.source.tenantId) },
  };
}

function toFact({ role, tenantId, expiresAt }: Assignment): AssignmentFact {
  return {
    roleId: role.id,
    roleName: role.name,
    capabilities: [...role.capabilities],
    allTenants: tenantId === null,
    expiresAt,
  };
}

function listOpenRunsOf(reader: Reader, workspaceId: string, userId: string): Promise<OpenRun[]> {
  return reader.query<OpenRun>(
    `select id, tenant_id as "tenantId", status from operation_runs
     where initiator_id = $2 and workspace_id = $1 and status <> 'completed' order by id limit $3`,
    [workspaceId, userId, openRunLimit],
  );
}
