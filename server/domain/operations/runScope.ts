import { mayAnywhere, tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";

/** Which runs of the viewer's present workspace they may see. Parameters 1 to 3 of every statement on runs. */
export type RunScope = {
  workspaceId: string;
  /** Null: those of all tenants, and those without one. */
  tenantIds: readonly string[] | null;
  /** Whose own runs without a tenant count too. */
  ownerId: string | null;
};

export function runScopeOf(viewer: Viewer): RunScope {
  if (viewer.workspace === null) throw new Error("A member of nothing has no runs to see.");
  return {
    workspaceId: viewer.workspace.id,
    tenantIds: tenantIdsOrNull(tenantScope(viewer, "operations.view")),
    ownerId: mayAnywhere(viewer, "operations.view") ? viewer.user.id : null,
  };
}

export const inRunScope = `r.workspace_id = $1
  and ($2::uuid[] is null or r.tenant_id = any ($2) or (r.tenant_id is null and r.initiator_id = $3::uuid))`;

export function scopeValues(scope: RunScope): unknown[] {
  return [scope.workspaceId, scope.tenantIds, scope.ownerId];
}
