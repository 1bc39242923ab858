import type { Reader } from "../../db/database.ts";
import type { Lifecycle } from "../authority/contract.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";

/** What to list: every tenant, or those of one kind that needs a person. */
export const tenantKinds = ["all", "held", "suspended", "refused"] as const;
export type TenantKind = (typeof tenantKinds)[number];

export type ListedTenant = {
  id: string;
  name: string;
  lifecycle: Lifecycle;
  hold: { reason: string; by: string } | null;
  connection: "unverified" | "verified" | "invalid" | null;
  credentialExpiresAt: Date | null;
  lastSyncAt: Date | null;
  /** Queued and running, counted to 1,000; null where the viewer may not see operations. */
  openRuns: number | null;
};

export type TenantQuery = {
  kind: TenantKind;
  /** Part of a name; null for any. */
  search: string | null;
  /** The last tenant of the page before. */
  after: string | null;
};

export const tenantsPerPage = 50;

/**
 * A page of the tenants the viewer may see in the present workspace: what needs a person first (held,
 * suspended, connection refused), archived ones last, then by name. `next` is what to ask for as `after`.
 */
export async function listTenantsFor(
  reader: Reader,
  viewer: Viewer,
  { kind, search, after }: TenantQuery,
): Promise<{ tenants: ListedTenant[]; next: string | null }> {
  const rows = await reader.query<ListedTenant>(
    `with ranked as (${rankedTenants}), page as (
       select * from ranked
       where ($3::text is null or strpos(lower(name), lower($3)) > 0) and ($4 = 'all' or $4 = any (kinds))
         and ($5::uuid is null
           or (rank, lower(name), id) > (select rank, lower(name), id from ranked where id = $5))
       order by rank, lower(name), id limit $6
     )
     select page.id, page.name, page.lifecycle, page.hold, page.connection, page."credentialExpiresAt",
       s.completed_at as "lastSyncAt",
       case when $7::uuid[] is null or page.id = any ($7) then o.open end as "openRuns"
     from page
     left join lateral (
       select completed_at from operation_runs r
       where r.tenant_id = page.id and r.operation = 'inventory.sync'
         and r.outcome in ('succeeded', 'partially_succeeded')
       order by r.id desc limit 1) s on true
     cross join lateral (
       select count(*)::integer as open from (
         select 1 from operation_runs r where r.tenant_id = page.id and r.status <> 'completed' limit 1000) x) o
     order by page.rank, lower(page.name), page.id`,
    [
      ...scopeOf(viewer),
      search,
      kind,
      after,
      tenantsPerPage + 1,
      tenantIdsOrNull(tenantScope(viewer, "operations.view")),
    ],
  );
  const tenants = rows.slice(0, tenantsPerPage);
  return { tenants, next: rows.length > tenantsPerPage ? (tenants.at(-1)?.id ?? null) : null };
}

export type TenantCounts = Record<TenantKind, number>;

/** How many tenants of each kind the viewer may see; of the first 10,000. */
export async function countTenantsFor(reader: Reader, viewer: Viewer): Promise<TenantCounts> {
  const [counts] = await reader.query<TenantCounts>(
    `select count(*)::integer as "all",
       count(*) filter (where 'held' = any (kinds))::integer as held,
       count(*) filter (where 'suspended' = any (kinds))::integer as suspended,
       count(*) filter (where 'refused' = any (kinds))::integer as refused
     from (${rankedTenants} limit 10000) as ranked`,
    scopeOf(viewer),
  );
  return counts ?? { all: 0, held: 0, suspended: 0, refused: 0 };
}

function scopeOf(viewer: Viewer): readonly unknown[] {
  return [viewer.workspace?.id ?? null, tenantIdsOrNull(tenantScope(viewer, "tenant.view"))];
}

/** Every tenant of workspace $1 among $2 (null: all of them), with what it needs a person for. */
const rankedTenants = `
  select t.id, p.name, t.lifecycle, c.status as connection,
    c.credential_expires_at as "credentialExpiresAt", k.kinds,
    case when h.tenant_id is not null
      then jsonb_build_object('reason', h.reason, 'by', h.placed_by_name) end as hold,
    case when cardinality(k.kinds) > 0 then 0 when t.lifecycle = 'archived' then 2 else 1 end as rank
  from tenants t
  join tenant_profiles p on p.tenant_id = t.id
  left join tenant_holds h on h.tenant_id = t.id and (h.until is null or h.until > clock_timestamp())
  left join provider_connections c on c.tenant_id = t.id
  cross join lateral (select array_remove(array[
    case when h.tenant_id is not null then 'held' end,
    case when t.lifecycle = 'suspended' then 'suspended' end,
    case when c.status = 'invalid' then 'refused' end], null) as kinds) k
  where t.workspace_id = $1 and ($2::uuid[] is null or t.id = any ($2))`;
