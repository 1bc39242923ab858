import type { Lifecycle } from "../authority/contract.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";
import { contractOf, operationNames } from "../operations/catalog.ts";
import type { Outcome, RunStatus } from "../operations/run.ts";
import type { Cadence } from "./cadence.ts";

/**
 * Why a schedule needs a person. `tenant`: it pauses because of the tenant's lifecycle; `nowhere`: it is for all
 * tenants and found none; `never`: it has no next time.
 */
export type Need = "steward" | "blocked" | "failed" | "tenant" | "nowhere" | "never";

/** A schedule as its list and its own page read it. */
export type ListedSchedule = Cadence & {
  id: string;
  workspaceId: string;
  operation: string;
  tenantId: string | null;
  /** Null also when the tenant belongs to another workspace by now. */
  tenantName: string | null;
  lifecycle: Lifecycle | null;
  connectionId: string | null;
  status: "active" | "paused";
  stewardId: string;
  stewardName: string;
  nextRunAt: Date | null;
  skipped: number;
  /** Null for those who may not see operations there, and while there was none. */
  last: LastRun | null;
  needs: Need[];
};

export type LastRun = { id: string; status: RunStatus; outcome: Outcome; repeats: number };

/** Parameters 1 to 4 of every statement about schedules somebody may see. */
export function scopeOf(viewer: Viewer): readonly unknown[] {
  return [
    viewer.workspace?.id ?? null,
    tenantIdsOrNull(tenantScope(viewer, "schedule.view")),
    JSON.stringify(Object.fromEntries(operationNames.map((name) => [name, contractOf(name).capability]))),
    tenantIdsOrNull(tenantScope(viewer, "operations.view")),
  ];
}

/** Somebody who could have made the schedule: an active member with both capabilities at its target. */
const hasSteward = `exists (
  select 1 from users u
  join memberships m on m.user_id = u.id and m.workspace_id = sc.workspace_id and m.status = 'active'
  where u.id = sc.steward_id and u.status = 'active' and array['schedule.manage', $3::jsonb ->> sc.operation] <@ array(
    select unnest(r.capabilities) from role_assignments a join roles r on r.id = a.role_id
    where a.user_id = u.id and a.workspace_id = sc.workspace_id
      and (a.tenant_id is null or a.tenant_id = sc.tenant_id)
      and (a.expires_at is null or a.expires_at > clock_timestamp())))`;

/** The columns of `ListedSchedule`, of what is ranked. */
export const listedScheduleColumns = `ranked.id, ranked."workspaceId", ranked."connectionId", ranked.operation,
  ranked."tenantId", ranked."tenantName", ranked.lifecycle, ranked.cron, ranked."timeZone", ranked.status,
  ranked."stewardId", ranked."stewardName", ranked."nextRunAt", ranked.skipped, ranked.last, ranked.needs`;

/** Every schedule of workspace $1 at the tenants $2 (null: all, and those of none), what needs a person first. */
export const rankedSchedules = `
  select sc.id, sc.workspace_id as "workspaceId", c.id as "connectionId", sc.operation, sc.tenant_id as "tenantId", p.name as "tenantName", t.lifecycle, sc.cron,
    sc.time_zone as "timeZone", sc.status, sc.steward_id as "stewardId",
    coalesce(up.name, sc.steward_name) as "stewardName", s.next_run_at as "nextRunAt", s.skipped, k.needs,
    case when r.id is not null then jsonb_build_object('id', r.id, 'status', r.status, 'outcome', r.outcome,
      'repeats', r.repeats) end as last,
    case when cardinality(k.needs) > 0 then 0 when sc.status = 'active' then 1 else 2 end as rank,
    coalesce(lower(p.name), '') as place
  from schedules sc
  join schedule_states s on s.schedule_id = sc.id
  left join tenants t on t.id = sc.tenant_id and t.workspace_id = sc.workspace_id
  left join tenant_profiles p on p.tenant_id = t.id
  left join provider_connections c on c.tenant_id = t.id
  left join user_profiles up on up.user_id = sc.steward_id
  left join operation_runs r on r.id = s.last_run_id and ($4::uuid[] is null or r.tenant_id = any ($4))
  cross join lateral (select array_remove(array[
    case when not ${hasSteward} then 'steward' end,
    case when sc.status = 'active' and r.outcome = 'blocked' then 'blocked' end,
    case when sc.status = 'active' and r.outcome = 'failed' then 'failed' end,
    case when sc.status = 'active' and t.lifecycle <> 'active' then 'tenant' end,
    case when sc.status = 'active' and s.found_none > 0 then 'nowhere' end,
    case when sc.status = 'active' and s.next_run_at is null then 'never' end], null) as needs) k
  where sc.workspace_id = $1 and ($2::uuid[] is null or sc.tenant_id = any ($2))`;
