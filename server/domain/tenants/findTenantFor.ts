import type { Reader } from "../../db/database.ts";
import type { Lifecycle } from "../authority/contract.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";

export type Hold = { reason: string; by: string; at: Date; until: Date | null };

export type TenantConnection = {
  id: string;
  clientId: string;
  status: "unverified" | "verified" | "invalid";
  cause: string | null;
  verifiedAt: Date | null;
  credentialExpiresAt: Date | null;
  grantedRoles: readonly string[];
};

export type Tenant = {
  id: string;
  workspaceId: string;
  name: string;
  directoryId: string;
  lifecycle: Lifecycle;
  hold: Hold | null;
  connection: TenantConnection | null;
  /** Open runs, counted to 1,000 each. */
  queuedRuns: number;
  runningRuns: number;
};

type TenantRow = Omit<Tenant, "hold" | "connection"> & {
  holdReason: string | null;
  holdBy: string | null;
  holdAt: Date | null;
  holdUntil: Date | null;
  connectionId: string | null;
  clientId: string | null;
  connectionStatus: TenantConnection["status"] | null;
  cause: string | null;
  verifiedAt: Date | null;
  credentialExpiresAt: Date | null;
  grantedRoles: string[] | null;
};

/** The tenant as its page shows it; undefined where the viewer may not see tenants. */
export async function findTenantFor(
  reader: Reader,
  viewer: Viewer,
  tenantId: string,
): Promise<Tenant | undefined> {
  const [row] = await reader.query<TenantRow>(
    `select t.id, t.workspace_id as "workspaceId", p.name, t.directory_id as "directoryId", t.lifecycle,
       h.reason as "holdReason", h.placed_by_name as "holdBy", h.placed_at as "holdAt", h.until as "holdUntil",
       c.id as "connectionId", c.client_id as "clientId", c.status as "connectionStatus", c.cause,
       c.verified_at as "verifiedAt", c.credential_expires_at as "credentialExpiresAt",
       c.granted_roles as "grantedRoles", q.queued as "queuedRuns", q.running as "runningRuns"
     from tenants t
     join tenant_profiles p on p.tenant_id = t.id
     left join tenant_holds h on h.tenant_id = t.id and (h.until is null or h.until > clock_timestamp())
     left join provider_connections c on c.tenant_id = t.id
     cross join lateral (
       select count(*) filter (where status = 'queued')::integer as queued,
         count(*) filter (where status = 'running')::integer as running
       from (select r.status from operation_runs r
         where r.tenant_id = t.id and r.status <> 'completed' limit 1000) open) q
     where t.id = $1 and t.workspace_id = $2 and ($3::uuid[] is null or t.id = any ($3))`,
    [tenantId, viewer.workspace?.id ?? null, tenantIdsOrNull(tenantScope(viewer, "tenant.view"))],
  );
  return row === undefined ? undefined : toTenant(row);
}

function toTenant(row: TenantRow): Tenant {
  const { id, workspaceId, name, directoryId, lifecycle, queuedRuns, runningRuns } = row;
  return {
    id,
    workspaceId,
    name,
    directoryId,
    lifecycle,
    queuedRuns,
    runningRuns,
    hold: holdOf(row),
    connection: connectionOf(row),
  };
}

function holdOf({ holdReason, holdBy, holdAt, holdUntil }: TenantRow): Hold | null {
  if (holdReason === null || holdBy === null || holdAt === null) return null;
  return { reason: holdReason, by: holdBy, at: holdAt, until: holdUntil };
}

function connectionOf(row: TenantRow): TenantConnection | null {
  const { connectionId, clientId, connectionStatus, cause, verifiedAt, credentialExpiresAt } = row;
  if (connectionId === null || clientId === null || connectionStatus === null) return null;
  return {
    id: connectionId,
    clientId,
    status: connectionStatus,
    cause,
    verifiedAt,
    credentialExpiresAt,
    grantedRoles: row.grantedRoles ?? [],
  };
}
