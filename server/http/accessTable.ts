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
  /** `:member`, in the selected workspace. */
  | { scope: "member"; capability: Capability; at: Coverage }
  /** `:notification`, one's own. */
  | { scope: "notification" };

/** A page about the whole workspace asks for a role that covers all tenants; a list shows those covered. */
export type Coverage = "all_tenants" | "some_tenant";

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

  "GET /admin/tenants": {
    scope: "workspace",
    capability: "tenant.view",
    at: "some_tenant",
    openWithoutRoles: true,
  },
  "GET /admin/tenants/:tenant": { scope: "tenant", capability: "tenant.view" },
  "POST /admin/tenants/:tenant/operations": { scope: "tenant", capability: null },
  "POST /admin/tenants/:tenant/hold": { scope: "tenant", capability: "tenant.hold" },
  "POST /admin/tenants/:tenant/release": { scope: "tenant", capability: "tenant.hold" },
  "GET /admin/tenants/:tenant/lifecycle": { scope: "tenant", capability: "tenant.manage" },
  "POST /admin/tenants/:tenant/lifecycle": { scope: "tenant", capability: "tenant.manage" },
  "GET /admin/tenants/:tenant/connection": { scope: "tenant", capability: "connection.manage" },
  "POST /admin/tenants/:tenant/connection": { scope: "tenant", capability: "connection.manage" },

  "GET /admin/members": { scope: "workspace", capability: "member.view", at: "all_tenants" },
  "GET /admin/members/:member": { scope: "member", capability: "member.view", at: "all_tenants" },
  "POST /admin/members/:member/assignments": memberChange,
  "GET /admin/members/:member/assignments/:assignment/role": memberChange,
  "POST /admin/members/:member/assignments/:assignment/role": memberChange,
  "GET /admin/members/:member/assignments/:assignment/end": memberChange,
  "POST /admin/members/:member/assignments/:assignment/end": memberChange,
  "GET /admin/members/:member/removal": memberChange,
  "POST /admin/members/:member/removal": memberChange,

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
