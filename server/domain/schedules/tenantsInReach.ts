import type { Reader } from "../../db/database.ts";
import { lifecycles, operableClasses, schedulesAt } from "../authority/contract.ts";

/** No more tenants than this at one time of a schedule; what was not synced for longest comes first. */
export const mostAtOnce = 2_000;

/** Where a schedule for all tenants would ask for a sync now, and how many tenants it would leave out. */
export type TenantsInReach = { tenantIds: string[]; leftOut: number };

const syncedBySchedule = lifecycles.filter((lifecycle) => {
  const classes: readonly string[] = operableClasses[lifecycle];
  return schedulesAt[lifecycle] === "run" && classes.includes("sync");
});

/**
 * The tenants of a workspace that are active and whose connection is verified: elsewhere a run would only be
 * blocked, time after time. Which they are is chosen here; whether each may be synced its own gate decides.
 */
export async function listTenantsInReach(reader: Reader, workspaceId: string): Promise<TenantsInReach> {
  const [found] = await reader.query<TenantsInReach>(
    `with present as (
       select t.id, t.lifecycle = any ($2) and c.status is not distinct from 'verified' as "inReach"
       from tenants t left join provider_connections c on c.tenant_id = t.id
       where t.workspace_id = $1 and t.lifecycle <> 'archived'
     ), chosen as (
       select p.id from present p
       left join lateral (
         select r.id from operation_runs r
         where r.tenant_id = p.id and r.operation = 'inventory.sync' order by r.id desc limit 1) latest on true
       where p."inReach" order by latest.id nulls first, p.id limit $3
     )
     select (select coalesce(array_agg(id), '{}') from chosen) as "tenantIds",
       ((select count(*) from present) - (select count(*) from chosen))::integer as "leftOut"`,
    [workspaceId, syncedBySchedule, mostAtOnce],
  );
  return found ?? { tenantIds: [], leftOut: 0 };
}
