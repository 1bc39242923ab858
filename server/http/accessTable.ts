import type { Capability } from "../domain/authority/capabilities.ts";

/**
 * Who may reach a route. The scope says what must be there for them, or the answer is the 404; the capability
 * what they must hold in it, or the answer is the 403 (handbook 1, "Access rule of every page and action").
 */
export type Access =
  /** Signed-out people too. */
  | { scope: "public" }
  /** Anybody signed in; what they see is their own. */
  | { scope: "account" }
  /** A member of the selected workspace. `openWithoutRoles`: one without any role sees an empty page. */
  | { scope: "workspace"; capability: Capability; at: Coverage; openWithoutRoles?: true }
  /** `:tenant`, `:run` or `:event`, in whichever workspace; null leaves the capability to the domain's verb. */
  | { scope: "tenant" | "run" | "event"; capability: Capability | null }
  /** `:member` or `:role`, in the selected workspace. */
  | { scope: "member" | "role"; capability: Capability; at: Coverage }
  /**
   * `:backup` is where its tenant is. `:restore` is at its target, for those who may preview there and see the
   * backups of the tenant it takes from.
   */
  | { scope: "backup"; capability: Capability }
  | { scope: "restore"; capability: Capability }
  /** `:schedule`, where its tenant is; one without a tenant is for those whose role covers all of them. */
  | { scope: "schedule"; capability: Capability }
  /** `:policy` of the inventory, and `:selection` of policies, where their tenant is. */
  | { scope: "policy"; capability: Capability }
  | { scope: "selection"; capability: null }
  /** `:notification`, one's own. */
  | { scope: "notification" };

/** A page about the whole workspace asks for a role that covers all tenants; a list shows those covered. */
export type Coverage = "all_tenants" | "some_tenant";

const workspaceHold = { scope: "workspace", capability: "tenant.hold", at: "all_tenants" } as const;
const backup = { scope: "backup", capability: "backup.view" } as const;
const restorePreview = { scope: "restore", capability: "restore.preview" } as const;
const scheduleChange = { scope: "schedule", capability: "schedule.manage" } as const;
const someSchedules = { scope: "workspace", capability: "schedule.manage", at: "some_tenant" } as const;
const selection = { scope: "selection", capability: null } as const;
const bulkSync = { scope: "workspace", capability: "inventory.sync", at: "some_tenant" } as const;
const backupDeletion = { scope: "workspace", capability: "backup.delete", at: "some_tenant" } as const;
const roleChange = { scope: "role", capability: "role.manage", at: "all_tenants" } as const;
const memberChange = { scope: "member", capability: "member.manage", at: "all_tenants" } as const;

/** Every route there is. A route that is not here cannot be served. */
export const accessTable = {
  "GET /health/live": { scope: "public" },
  "GET /health/ready": { scope: "public" },
  "GET /": { scope: "public" },
  "GET /sign-in": { scope: "public" },
  "POST /sign-in": { scope: "public" },
  "POST /sign-out": { scope: "account" },

  "GET /admin": { scope: "account" },
  "POST /admin/workspace-selection": { scope: "account" },

  "GET /admin/operations": {
    scope: "workspace",
    capability: "operations.view",
    at: "some_tenant",
    openWithoutRoles: true,
  },
  "GET /admin/operations/:run": { scope: "run", capability: "operations.view" },
  "GET /admin/operations/:run/verdict": { scope: "run", capability: "operations.view" },
  // Whose right it takes to cancel depends on whose run it is: the verb asks.
  "GET /admin/operations/:run/cancellation": { scope: "run", capability: "operations.view" },
  "POST /admin/operations/:run/cancellation": { scope: "run", capability: "operations.view" },
  "GET /admin/operations/:run/rerun": { scope: "run", capability: "operations.rerun" },
  "POST /admin/operations/:run/rerun": { scope: "run", capability: "operations.rerun" },
  "POST /admin/operations/:run/undo": { scope: "run", capability: "restore.preview" },
  "POST /admin/operations/:run/dismissal": { scope: "run", capability: "operations.rerun" },

  "GET /admin/tenants": {
    scope: "workspace",
    capability: "tenant.view",
    at: "some_tenant",
    openWithoutRoles: true,
  },
  "GET /admin/tenants/:tenant": { scope: "tenant", capability: "tenant.view" },
  "POST /admin/tenants/:tenant/operations": { scope: "tenant", capability: null },
  "GET /admin/tenants/:tenant/hold": { scope: "tenant", capability: "tenant.hold" },
  "POST /admin/tenants/:tenant/hold/runs": { scope: "tenant", capability: "tenant.hold" },
  "POST /admin/tenants/:tenant/hold": { scope: "tenant", capability: "tenant.hold" },
  "POST /admin/tenants/:tenant/release": { scope: "tenant", capability: "tenant.hold" },
  "GET /admin/tenants/:tenant/lifecycle": { scope: "tenant", capability: "tenant.manage" },
  "POST /admin/tenants/:tenant/lifecycle": { scope: "tenant", capability: "tenant.manage" },
  "GET /admin/tenants/:tenant/connection": { scope: "tenant", capability: "connection.manage" },
  "POST /admin/tenants/:tenant/connection": { scope: "tenant", capability: "connection.manage" },

  "GET /admin/tenants/:tenant/backups/new": { scope: "tenant", capability: "backup.create" },
  "POST /admin/tenants/:tenant/backups": { scope: "tenant", capability: null },

  "GET /admin/backups": { scope: "workspace", capability: "backup.view", at: "some_tenant" },
  "GET /admin/backups/:backup": backup,
  "GET /admin/backups/:backup/items/:item": backup,
  "GET /admin/backups/:backup/comparison": backup,
  "GET /admin/backups/:backup/comparison/item": backup,
  "GET /admin/backups/:backup/download": backup,
  // The right to preview is asked at the tenant that is restored to: the verb asks.
  "GET /admin/backups/:backup/restores/new": backup,
  "POST /admin/backups/:backup/restores": backup,

  "GET /admin/restores/:restore": restorePreview,
  "GET /admin/restores/:restore/items/:position": restorePreview,
  "GET /admin/restores/:restore/execution": { scope: "restore", capability: "restore.execute" },
  "POST /admin/restores/:restore/execution": { scope: "restore", capability: "restore.execute" },

  "GET /admin/inventory": { scope: "workspace", capability: "inventory.view", at: "some_tenant" },
  "GET /admin/inventory/:policy": { scope: "policy", capability: "inventory.view" },
  // What right it takes depends on what is to be done with what was selected: the verbs ask.
  "POST /admin/bulk/selections": { scope: "workspace", capability: "inventory.view", at: "some_tenant" },
  "GET /admin/bulk/selections/:selection": selection,
  "POST /admin/bulk/selections/:selection/execution": selection,
  "GET /admin/bulk/sync": bulkSync,
  "POST /admin/bulk/sync": bulkSync,
  "GET /admin/bulk/backups": backupDeletion,
  "POST /admin/bulk/backups": backupDeletion,

  "GET /admin/hold": workspaceHold,
  "POST /admin/hold": workspaceHold,
  "POST /admin/hold/runs": workspaceHold,
  "POST /admin/release": workspaceHold,

  "GET /admin/schedules": { scope: "workspace", capability: "schedule.view", at: "some_tenant" },
  "POST /admin/schedules": someSchedules,
  "GET /admin/schedules/new": someSchedules,
  "GET /admin/schedules/transfer": someSchedules,
  "POST /admin/schedules/transfer": someSchedules,
  "GET /admin/schedules/:schedule": { scope: "schedule", capability: "schedule.view" },
  "GET /admin/schedules/:schedule/edit": scheduleChange,
  "POST /admin/schedules/:schedule/edit": scheduleChange,
  "GET /admin/schedules/:schedule/pause": scheduleChange,
  "POST /admin/schedules/:schedule/pause": scheduleChange,
  "POST /admin/schedules/:schedule/resumption": scheduleChange,
  "POST /admin/schedules/:schedule/takeover": scheduleChange,
  "GET /admin/schedules/:schedule/removal": scheduleChange,
  "POST /admin/schedules/:schedule/removal": scheduleChange,

  "GET /admin/members": { scope: "workspace", capability: "member.view", at: "all_tenants" },
  "GET /admin/members/:member": { scope: "member", capability: "member.view", at: "all_tenants" },
  "POST /admin/members/:member/assignments": memberChange,
  "GET /admin/members/:member/assignments/:assignment/role": memberChange,
  "POST /admin/members/:member/assignments/:assignment/role": memberChange,
  "GET /admin/members/:member/assignments/:assignment/end": memberChange,
  "POST /admin/members/:member/assignments/:assignment/end": memberChange,
  "GET /admin/members/:member/removal": memberChange,
  "POST /admin/members/:member/removal": memberChange,

  "GET /admin/roles": { scope: "workspace", capability: "member.view", at: "all_tenants" },
  "GET /admin/roles/:role": { scope: "role", capability: "member.view", at: "all_tenants" },
  "GET /admin/roles/:role/copy": roleChange,
  "POST /admin/roles/:role/copy": roleChange,
  "GET /admin/roles/:role/edit": roleChange,
  "GET /admin/roles/:role/change": roleChange,
  "POST /admin/roles/:role/change": roleChange,
  "GET /admin/roles/:role/removal": roleChange,
  "POST /admin/roles/:role/removal": roleChange,

  "GET /admin/notifications": { scope: "account" },
  "POST /admin/notifications/reading": { scope: "account" },
  "POST /admin/notifications/:notification/reading": { scope: "notification" },

  "GET /admin/audit": { scope: "workspace", capability: "audit.view", at: "some_tenant" },
  "GET /admin/audit/:event": { scope: "event", capability: "audit.view" },
} as const satisfies Record<`${"GET" | "POST"} /${string}`, Access>;

export type RouteName = keyof typeof accessTable;

export type PublicRoute = {
  [R in RouteName]: (typeof accessTable)[R]["scope"] extends "public" ? R : never;
}[RouteName];

export type GuardedRoute = Exclude<RouteName, PublicRoute>;

export function isRouteName(name: string): name is RouteName {
  return Object.hasOwn(accessTable, name);
}

export function accessOf(route: RouteName): Access {
  return accessTable[route];
}
