import type { Reader } from "../../db/database.ts";
import type { Capability } from "./capabilities.ts";
import { inWorkspace, isEntitled, may, mayAnywhere, type Viewer } from "./viewer.ts";

/** Where something stands. `own`: the viewer asked for it, which is scope enough for a run without a tenant. */
export type Place = { workspaceId: string; tenantId: string | null; own: boolean };

/** The viewer in the place's workspace, or undefined when they are not entitled there. */
export function entitledAt(viewer: Viewer, place: Place): Viewer | undefined {
  const there = inWorkspace(viewer, place.workspaceId);
  if (there === undefined) return undefined;
  const asInitiator = place.tenantId === null && place.own;
  return asInitiator || isEntitled(there, place.tenantId) ? there : undefined;
}

export function mayAt(viewer: Viewer, capability: Capability, place: Place): boolean {
  const there = entitledAt(viewer, place);
  if (there === undefined) return false;
  if (may(there, capability, place.tenantId)) return true;
  return place.tenantId === null && place.own && mayAnywhere(there, capability);
}

/** A run stands in the workspace it was requested in, also when its tenant was archived, moved or deleted. */
export async function findPlaceOfRun(reader: Reader, viewer: Viewer, runId: string) {
  const [place] = await reader.query<Place>(
    `select workspace_id as "workspaceId", tenant_id as "tenantId",
       initiator_id is not distinct from $2 as own
     from operation_runs where id = $1`,
    [runId, viewer.user.id],
  );
  return place;
}

export async function findPlaceOfTenant(reader: Reader, tenantId: string): Promise<Place | undefined> {
  const [place] = await reader.query<Place>(
    `select workspace_id as "workspaceId", id as "tenantId", false as own from tenants where id = $1`,
    [tenantId],
  );
  return place;
}

/** A backup stands where the tenant is that it was taken of. */
export async function findPlaceOfBackup(reader: Reader, setId: string): Promise<Place | undefined> {
  const [place] = await reader.query<Place>(
    `select workspace_id as "workspaceId", tenant_id as "tenantId", false as own
     from backup_sets where id = $1`,
    [setId],
  );
  return place;
}

/** Where a restore writes, and whose backup it takes from; also while the run that previews it has not begun. */
export async function findPlacesOfRestore(
  reader: Reader,
  planId: string,
): Promise<{ target: Place; source: Place } | undefined> {
  const [found] = await reader.query<{ workspaceId: string; tenantId: string; sourceId: string }>(
    `select coalesce(p.workspace_id, r.workspace_id) as "workspaceId",
       coalesce(p.tenant_id, r.tenant_id) as "tenantId",
       coalesce(p.source_tenant_id, s.tenant_id, r.tenant_id) as "sourceId"
     from (select $1::uuid as id) asked
     left join restore_plans p on p.id = asked.id
     left join operation_runs r on r.id = asked.id and r.operation = 'restore.preview'
     left join backup_sets s on s.id = r.backup_set_id
     where p.id is not null or r.id is not null`,
    [planId],
  );
  if (found === undefined) return undefined;
  const { workspaceId, tenantId, sourceId } = found;
  return {
    target: { workspaceId, tenantId, own: false },
    source: { workspaceId, tenantId: sourceId, own: false },
  };
}

export async function findPlaceOfSchedule(reader: Reader, scheduleId: string): Promise<Place | undefined> {
  const [place] = await reader.query<Place>(
    `select workspace_id as "workspaceId", tenant_id as "tenantId", false as own from schedules where id = $1`,
    [scheduleId],
  );
  return place;
}

/** A policy of the inventory stands at its tenant. */
export async function findPlaceOfPolicy(reader: Reader, policyId: string): Promise<Place | undefined> {
  const [place] = await reader.query<Place>(
    `select t.workspace_id as "workspaceId", t.id as "tenantId", false as own
     from inventory_items i join tenants t on t.id = i.tenant_id where i.id = $1`,
    [policyId],
  );
  return place;
}

export async function findPlaceOfSelection(reader: Reader, selectionId: string): Promise<Place | undefined> {
  const [place] = await reader.query<Place>(
    `select workspace_id as "workspaceId", tenant_id as "tenantId", false as own
     from bulk_selections where id = $1`,
    [selectionId],
  );
  return place;
}

/** Whether the person is a member of the viewer's present workspace, suspended ones included. */
export async function isMemberHere(reader: Reader, viewer: Viewer, userId: string): Promise<boolean> {
  const rows = await reader.query(`select 1 from memberships where workspace_id = $1 and user_id = $2`, [
    viewer.workspace?.id ?? null,
    userId,
  ]);
  return rows.length > 0;
}

export async function isRoleHere(reader: Reader, viewer: Viewer, roleId: string): Promise<boolean> {
  const rows = await reader.query(`select 1 from roles where workspace_id = $1 and id = $2`, [
    viewer.workspace?.id ?? null,
    roleId,
  ]);
  return rows.length > 0;
}

/** An entry of no workspace is the installation's: no page shows it. */
export async function findPlaceOfAuditEvent(reader: Reader, eventId: string): Promise<Place | undefined> {
  const [place] = await reader.query<Place>(
    `select workspace_id as "workspaceId", tenant_id as "tenantId", false as own
     from audit_events where id = $1 and workspace_id is not null`,
    [eventId],
  );
  return place;
}

export async function isNotificationOf(reader: Reader, viewer: Viewer, notificationId: string) {
  const rows = await reader.query(`select 1 from notifications where id = $1 and user_id = $2`, [
    notificationId,
    viewer.user.id,
  ]);
  return rows.length > 0;
}
