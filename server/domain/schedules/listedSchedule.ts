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

/**
 * What stewards of schedules hold where, each once: a set that schedules are looked up in, since asking anew for
 * each of thousands takes most of the time. `scoped` are the schedules it is for.
 */
const heldByStewards = `
  select distinct a.user_id, a.tenant_id, c.capability
  from memberships m
  join users u on u.id = m.user_id and u.status = 'active'
  join role_assignments a on a.user_id = m.user_id and a.workspace_id = m.workspace_id
    and (a.expires_at is null or a.expires_at > clock_timestamp())
  join roles r on r.id = a.role_id
  cross join lateral unnest(r.capabilities) as c (capability)
  where m.workspace_id = $1 and m.status = 'active' and m.user_id in (select steward_id from scoped)`;

function holds(capability: string): string {
  return `((sc.steward_id, ${capability}) in (select user_id, capability from held where tenant_id is null)
    or coalesce((sc.steward_id, ${capability}, sc.tenant_id) in (
      select user_id, capability, tenant_id from held where tenant_id is not null), false))`;
}

/** Somebody who could have made the schedule: an active member with both capabilities at its target. */
const hasSteward = `(${holds("'schedule.manage'")} and ${holds("coalesce($3::jsonb ->> sc.operation, '')")})`;

/**
 * Where each schedule of workspace $1 at the tenants $2 (null: all, and those of none) stands in the list, what
 * needs a person first; `which` narrows them down further. Just what the order goes by: it is read of all of them.
 */
export function rankedSchedules(which = ""): string {
  return `
    with scoped as materialized (
      select sc.id, sc.operation, sc.tenant_id, sc.steward_id, sc.status from schedules sc
      where sc.workspace_id = $1 and ($2::uuid[] is null or sc.tenant_id = any ($2)) ${which}
    ), held as materialized (${heldByStewards}
    ), needing as materialized (
      select sc.id, sc.operation, sc.tenant_id, sc.status, coalesce(lower(p.name), '') as place, array_remove(array[
        case when not ${hasSteward} then 'steward' end,
        case when sc.status = 'active' and s.last_outcome in ('blocked', 'failed')
          and ($4::uuid[] is null or sc.tenant_id = any ($4)) then s.last_outcome end,
        case when sc.status = 'active' and t.lifecycle <> 'active' then 'tenant' end,
        case when sc.status = 'active' and s.found_none > 0 then 'nowhere' end,
        case when sc.status = 'active' and s.next_run_at is null then 'never' end], null) as needs
      from scoped sc
      join schedule_states s on s.schedule_id = sc.id
      left join tenants t on t.id = sc.tenant_id and t.workspace_id = $1
      left join tenant_profiles p on p.tenant_id = t.id
    )
    select needing.*,
      case when cardinality(needs) > 0 then 0 when status = 'active' then 1 else 2 end as rank
    from needing`;
}

/** The columns of `ListedSchedule`, of what is `ranked` with what it is joined to. */
export const listedScheduleColumns = `sc.id, sc.workspace_id as "workspaceId", c.id as "connectionId", sc.operation,
  sc.tenant_id as "tenantId", p.name as "tenantName", t.lifecycle, sc.cron, sc.time_zone as "timeZone", sc.status,
  sc.steward_id as "stewardId", coalesce(up.name, sc.steward_name) as "stewardName",
  s.next_run_at as "nextRunAt", s.skipped, ranked.needs,
  case when r.id is not null then jsonb_build_object('id', r.id, 'status', r.status, 'outcome', r.outcome,
    'repeats', r.repeats) end as last`;

export const listedScheduleJoins = `
  join schedules sc on sc.id = ranked.id
  join schedule_states s on s.schedule_id = sc.id
  left join tenants t on t.id = sc.tenant_id and t.workspace_id = sc.workspace_id
  left join tenant_profiles p on p.tenant_id = t.id
  left join provider_connections c on c.tenant_id = t.id
  left join user_profiles up on up.user_id = sc.steward_id
  left join operation_runs r on r.id = s.last_run_id and ($4::uuid[] is null or r.tenant_id = any ($4))`;
