import type { Reader } from "../../db/database.ts";
import type { AssignmentFact, Facts } from "../authority/facts.ts";
import { countStopped, type OpenRun, openRunLimit, type Stopped } from "../operations/countStopped.ts";
import type { Role } from "../people/assignments.ts";

/**
 * What it would stop if a role allowed these from now on: of the open runs of those who hold it, the ones the
 * gate would let through now and would deny then. At most 1,000 runs are looked at; takes no locks.
 */
export async function previewRoleLoss(
  reader: Reader,
  workspaceId: string,
  then: Pick<Role, "id" | "capabilities">,
): Promise<Stopped> {
  const runs = await listOpenRunsThrough(reader, workspaceId, then.id);
  return countStopped(reader, runs, (facts) => supposing(facts, then));
}

/** The role allows what a run does to its target, and what it takes from the source. */
function supposing(facts: Facts, { id, capabilities }: Pick<Role, "id" | "capabilities">): Facts {
  const become = (assignments: readonly AssignmentFact[]) =>
    assignments.map((held) => (held.roleId === id ? { ...held, capabilities: [...capabilities] } : held));
  return {
    ...facts,
    assignments: become(facts.assignments),
    source: facts.source && { ...facts.source, assignments: become(facts.source.assignments) },
  };
}

function listOpenRunsThrough(reader: Reader, workspaceId: string, roleId: string): Promise<OpenRun[]> {
  return reader.query<OpenRun>(
    `select id, tenant_id as "tenantId", status from operation_runs
     where workspace_id = $1 and status <> 'completed'
       and initiator_id in (select user_id from role_assignments where role_id = $2)
     order by id limit $3`,
    [workspaceId, roleId, openRunLimit],
  );
}
