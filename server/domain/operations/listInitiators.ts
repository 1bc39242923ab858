import type { Reader } from "../../db/database.ts";
import { inRunScope, type RunScope, scopeValues } from "./runScope.ts";

export type Initiator = { id: string; name: string };

/** Of so many of the newest runs, who asked for them. */
const runsLookedAt = 2_000;

/** People to filter by: those who asked for the newest runs the viewer sees, by name. Nobody else is told of. */
export async function listInitiators(reader: Reader, scope: RunScope): Promise<Initiator[]> {
  return reader.query<Initiator>(
    `select distinct on (lower(name), id) id, name from (
       select r.initiator_id as id, r.initiator_name as name from operation_runs r
       where ${inRunScope} order by r.id desc limit ${runsLookedAt}) newest
     where id is not null and name is not null order by lower(name), id limit 200`,
    scopeValues(scope),
  );
}
