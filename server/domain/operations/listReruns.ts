import type { Reader } from "../../db/database.ts";
import type { ShownRun } from "./findRunFor.ts";
import type { Outcome, RunStatus } from "./run.ts";
import { inRunScope, type RunScope, scopeValues } from "./runScope.ts";

/** A run that this one asks for again, or that asks for this one again. */
export type RelatedRun = {
  id: string;
  isEarlier: boolean;
  operation: string;
  initiatorName: string | null;
  status: RunStatus;
  outcome: Outcome;
  requestedAt: Date;
};

/** The earlier run and the latest reruns, as far as the viewer may see them; oldest first. */
export async function listReruns(reader: Reader, scope: RunScope, run: ShownRun): Promise<RelatedRun[]> {
  const rows = await reader.query<RelatedRun>(
    `select r.id, r.id is not distinct from $5 as "isEarlier", r.operation, r.initiator_name as "initiatorName",
       r.status, r.outcome, r.requested_at as "requestedAt"
     from operation_runs r
     where ${inRunScope} and (r.rerun_of = $4 or r.id = $5) order by r.id desc limit 10`,
    [...scopeValues(scope), run.id, run.rerunOf],
  );
  return rows.reverse();
}
