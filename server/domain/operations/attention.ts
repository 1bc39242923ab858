import type { Reader } from "../../db/database.ts";
import { type OperationName, operationNames } from "./catalog.ts";
import { isStuck } from "./listedRun.ts";
import { inRunScope, type RunScope, scopeValues } from "./runScope.ts";

/** Counts end here; beyond, a page says "10,000+". */
export const countLimit = 10_000;

export type Attention = {
  failed: number;
  stuck: number;
  queued: number;
  running: number;
  hasWorker: boolean;
};

const liveWorker = `exists (select 1 from worker_pools where stopped_at is null
  and last_heartbeat_at > clock_timestamp() - interval '60 seconds')`;

/** Whether any worker has given a sign of life within a minute. */
export async function hasLiveWorker(reader: Reader): Promise<boolean> {
  const [row] = await reader.query<{ alive: boolean }>(`select ${liveWorker} as alive`);
  return row?.alive ?? false;
}

/** What needs a person, in one statement. Of failed runs, the newest ones that ended this week. */
export async function countAttention(reader: Reader, scope: RunScope): Promise<Attention> {
  const newest = (outcome: string) => `(select count(*)::int from (
    select r.completed_at from operation_runs r where ${inRunScope} and r.outcome = '${outcome}'
    order by r.id desc limit ${countLimit + 1}) newest
    where completed_at > clock_timestamp() - interval '7 days')`;
  const open = (status: string, extra: string) => `(select count(*)::int from (
    select 1 from operation_runs r where ${inRunScope} and r.status = '${status}' and (${extra})
    limit ${countLimit + 1}) open)`;
  const [counts] = await reader.query<Attention>(
    `select ${newest("failed")} as failed,
       ${open("running", isStuck)} as stuck, ${open("queued", "true")} as queued,
       ${open("running", "true")} as running,
       ${liveWorker} as "hasWorker"`,
    scopeValues(scope),
  );
  if (counts === undefined) throw new Error("Counting returned no row.");
  return counts;
}

/** How many waiting runs a page asks the gate's rules about. */
export const riskLimit = 200;

/** The newest waiting runs. Those of operations this release does not know cannot be judged. */
export async function listWaiting(reader: Reader, scope: RunScope): Promise<string[]> {
  const rows = await reader.query<{ id: string }>(
    `select r.id from operation_runs r
     where ${inRunScope} and r.status = 'queued' and r.operation = any ($4) order by r.id desc limit $5`,
    [...scopeValues(scope), [...operationNames] satisfies OperationName[], riskLimit],
  );
  return rows.map((row) => row.id);
}

/** Tenants to filter by, by name, as far as a list can be read. */
export async function listTenantNames(
  reader: Reader,
  scope: RunScope,
): Promise<{ id: string; name: string }[]> {
  return reader.query<{ id: string; name: string }>(
    `select t.id, p.name from tenants t join tenant_profiles p on p.tenant_id = t.id
     where t.workspace_id = $1 and ($2::uuid[] is null or t.id = any ($2))
     order by lower(p.name), t.id limit 500`,
    [scope.workspaceId, scope.tenantIds],
  );
}
