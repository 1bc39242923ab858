import type { Reader } from "../../db/database.ts";
import type { ShownRun } from "./findRunFor.ts";
import type { Outcome, RunStatus } from "./run.ts";
import { inRunScope, type RunScope, scopeValues } from "./runScope.ts";

export type ChildRun = {
  id: string;
  tenantName: string | null;
  status: RunStatus;
  outcome: Outcome;
};

export type Children = {
  /** Those the viewer may see, what needs somebody first; a hundred at most. */
  runs: ChildRun[];
  /** How many there are in all, and how many of them the viewer may see. */
  all: number;
  visible: number;
};

const mostShown = 100;

/** What a run asked for, as far as the viewer may see it; the rest is a count without names. */
export async function listChildren(reader: Reader, scope: RunScope, parentId: string): Promise<Children> {
  const [counts] = await reader.query<{ all: number; visible: number }>(
    `select count(*)::integer as "all", (count(*) filter (where ${inRunScope}))::integer as visible
     from operation_runs r where r.parent_run_id = $4`,
    [...scopeValues(scope), parentId],
  );
  const runs = await reader.query<ChildRun>(
    `select r.id, coalesce(p.name, r.tenant_name) as "tenantName", r.status, r.outcome
     from operation_runs r
     left join tenants t on t.id = r.tenant_id and t.workspace_id = r.workspace_id
     left join tenant_profiles p on p.tenant_id = t.id
     where ${inRunScope} and r.parent_run_id = $4
     order by case r.outcome when 'blocked' then 0 when 'failed' then 1 when 'partially_succeeded' then 2
       when 'pending' then 3 when 'cancelled' then 4 else 5 end, lower(coalesce(p.name, r.tenant_name)), r.id
     limit ${mostShown}`,
    [...scopeValues(scope), parentId],
  );
  return { runs, all: counts?.all ?? 0, visible: counts?.visible ?? 0 };
}

/** The run that asked for this one, if the viewer may see it. */
export async function findParent(
  reader: Reader,
  scope: RunScope,
  { id }: Pick<ShownRun, "id">,
): Promise<{ id: string; operation: string; status: RunStatus; outcome: Outcome } | undefined> {
  const [parent] = await reader.query<{
    id: string;
    operation: string;
    status: RunStatus;
    outcome: Outcome;
  }>(
    `select r.id, r.operation, r.status, r.outcome from operation_runs c
     join operation_runs r on r.id = c.parent_run_id where ${inRunScope} and c.id = $4`,
    [...scopeValues(scope), id],
  );
  return parent;
}
