import type { Reader } from "../../db/database.ts";
import { type OpenRun, openRunLimit } from "../operations/countStopped.ts";

/** The tenant's runs that have not ended, oldest first, as `countStopped` looks at them. */
export function listOpenRunsAt(reader: Reader, tenantId: string): Promise<OpenRun[]> {
  return reader.query<OpenRun>(
    `select id, tenant_id as "tenantId", status from operation_runs
     where tenant_id = $1 and status <> 'completed' order by id limit $2`,
    [tenantId, openRunLimit],
  );
}
