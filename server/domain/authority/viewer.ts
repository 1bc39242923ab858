import type { Reader } from "../../db/database.ts";
import type { Capability } from "./capabilities.ts";

/** One role a person holds in a workspace: what it allows, and where. Lapsed assignments are not in it. */
export type Grant = { capabilities: readonly string[]; allTenants: boolean; tenantIds: readonly string[] };

export type ViewerWorkspace = { id: string; slug: string; name: string; grants: readonly Grant[] };

/** Who looks at a page and what they may, read fresh for every request. */
export type Viewer = {
  user: { id: string; name: string; email: string; timeZone: string | null };
  /** The selected workspace, or that of the run or tenant a page is about; null for a member of nothing. */
  workspace: ViewerWorkspace | null;
  /** What they chose to look at; other pages show only what is of this one. */
  selectedWorkspaceId: string | null;
  /** Active memberships in active workspaces, by name. */
  workspaces: readonly ViewerWorkspace[];
};

/** Undefined when the person is gone or disabled. Time is the database's: a lapsed assignment grants nothing. */
export async function loadViewer(
  reader: Reader,
  userId: string,
  selectedWorkspaceId: string | null,
): Promise<Viewer | undefined> {
  const [row] = await reader.query<Viewer["user"] & { workspaces: ViewerWorkspace[] }>(
    `select u.id, u.email, coalesce(p.name, u.email) as name, p.time_zone as "timeZone",
       coalesce(w.workspaces, '[]') as workspaces
     from users u
     left join user_profiles p on p.user_id = u.id
     left join lateral (
       select jsonb_agg(jsonb_build_object('id', w.id, 'slug', w.slug, 'name', w.name,
         'grants', coalesce(g.grants, '[]')) order by lower(w.name), w.id) as workspaces
       from memberships m
       join workspaces w on w.id = m.workspace_id and w.status = 'active'
       left join lateral (
         select jsonb_agg(jsonb_build_object('capabilities', held.capabilities, 'allTenants', held.all_tenants,
           'tenantIds', held.tenant_ids)) as grants
         from (
           select r.capabilities, bool_or(a.tenant_id is null) as all_tenants,
             coalesce(array_agg(a.tenant_id) filter (where a.tenant_id is not null), '{}') as tenant_ids
           from role_assignments a join roles r on r.id = a.role_id
           where a.user_id = u.id and a.workspace_id = m.workspace_id
             and (a.expires_at is null or a.expires_at > clock_timestamp())
           group by r.id
         ) held
       ) g on true
       where m.user_id = u.id and m.status = 'active'
     ) w on true
     where u.id = $1 and u.status = 'active'`,
    [userId],
  );
  if (row === undefined) return undefined;
  const { workspaces, ...user } = row;
  const workspace = workspaces.find(({ id }) => id === selectedWorkspaceId) ?? workspaces[0] ?? null;
  return { user, workspaces, workspace, selectedWorkspaceId: workspace?.id ?? null };
}

/** The same person in another of their workspaces; undefined when they are no member of it. */
export function inWorkspace(viewer: Viewer, workspaceId: string): Viewer | undefined {
  const workspace = viewer.workspaces.find(({ id }) => id === workspaceId);
  return workspace === undefined ? undefined : { ...viewer, workspace };
}

/** Any live role covers the tenant, whatever it allows; null asks for a role that covers all tenants. */
export function isEntitled(viewer: Viewer, tenantId: string | null): boolean {
  return grantsOf(viewer).some((grant) => covers(grant, tenantId));
}

/** The union of the roles that cover the tenant; null asks at all tenants of the workspace. */
export function may(viewer: Viewer, capability: Capability, tenantId: string | null): boolean {
  return grantsOf(viewer).some((grant) => covers(grant, tenantId) && allows(grant, capability));
}

export function mayAnywhere(viewer: Viewer, capability: Capability): boolean {
  return grantsOf(viewer).some((grant) => allows(grant, capability));
}

export function hasRoles(viewer: Viewer): boolean {
  return grantsOf(viewer).length > 0;
}

/** Where the viewer holds a capability in the present workspace, as a filter for a statement. */
export type TenantScope = "all" | readonly string[];

export function tenantScope(viewer: Viewer, capability: Capability): TenantScope {
  const granting = grantsOf(viewer).filter((grant) => allows(grant, capability));
  if (granting.some((grant) => grant.allTenants)) return "all";
  return [...new Set(granting.flatMap((grant) => grant.tenantIds))];
}

/** The scope as a statement's parameter: null stands for all tenants. */
export function tenantIdsOrNull(scope: TenantScope): readonly string[] | null {
  return scope === "all" ? null : scope;
}

function grantsOf(viewer: Viewer): readonly Grant[] {
  return viewer.workspace?.grants ?? [];
}

function covers(grant: Grant, tenantId: string | null): boolean {
  return grant.allTenants || (tenantId !== null && grant.tenantIds.includes(tenantId));
}

function allows(grant: Grant, capability: Capability): boolean {
  return grant.capabilities.includes(capability);
}
