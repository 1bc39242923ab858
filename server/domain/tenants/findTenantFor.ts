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
  /** That of the whole workspace. */
  workspaceHold: Hold | null;
  connection: TenantConnection | null;
  /** Open runs, counted to 1,000 each. */
  queuedRuns: number;
  runningRuns: number;
};

type HoldInRow = Omit<Hold, "at" | "until"> & { at: string; until: string | null };

type TenantRow = Omit<Tenant, "hold" | "workspaceHold" | "connection"> & {
  hold: HoldInRow | null;
  workspaceHold: HoldInRow | null;
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
       ${holdOn("h")} as hold, ${holdOn("wh")} as "workspaceHold",
       c.id as "connectionId", c.client_id as "clientId", c.status as "connectionStatus", c.cause,
       c.verified_at as "verifiedAt", c.credential_expires_at as "credentialExpiresAt",
       c.granted_roles as "grantedRoles", q.queued as "queuedRuns", q.running as "runningRuns"
     from tenants t
     join tenant_profiles p on p.tenant_id = t.id
     left join tenant_holds h on h.tenant_id = t.id and (h.until is null or h.until > clock_timestamp())
     left join workspace_holds wh on wh.workspace_id = t.workspace_id
       and (wh.until is null or wh.until > clock_timestamp())
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
    hold: holdOf(row.hold),
    workspaceHold: holdOf(row.workspaceHold),
    connection: connectionOf(row),
  };
}

function holdOn(hold: string): string {
  return `case when ${hold}.placed_at is not null then jsonb_build_object('reason', ${hold}.reason,
         'by', ${hold}.placed_by_name, 'at', ${hold}.placed_at, 'until', ${hold}.until) end`;
}

function holdOf(hold: HoldInRow | null): Hold | null {
  if (hold === null) return null;
  return { ...hold, at: new Date(hold.at), until: hold.until === null ? null : new Date(hold.until) };
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
