import type { Viewer } from "../domain/authority/viewer.ts";
import type { RouteName } from "./accessTable.ts";
import { mayOpen } from "./allows.ts";

/** `also`: other pages that belong to it. */
type Entry = { route: RouteName; label: string; icon: string; also?: string };
export type NavLink = { label: string; icon: string; href: string; isCurrent: boolean };

/** What surrounds every page of someone signed in. */
export type Shell = {
  user: { name: string; email: string; timeZone: string };
  workspaceName: string | null;
  /** Empty for a member of one: there is nothing to switch. */
  workspaces: { id: string; name: string; isSelected: boolean }[];
  links: NavLink[];
  notifications: { isCurrent: boolean; unread: string | null };
  notice: string | null;
};

const entries: Entry[] = [
  { route: "GET /admin/operations", label: "Operations", icon: "pulse" },
  { route: "GET /admin/tenants", label: "Tenants", icon: "building" },
  { route: "GET /admin/inventory", label: "Inventory", icon: "list" },
  { route: "GET /admin/backups", label: "Backups", icon: "archive", also: "/admin/restores" },
  { route: "GET /admin/schedules", label: "Schedules", icon: "queued" },
  { route: "GET /admin/members", label: "Members", icon: "people", also: "/admin/roles" },
  { route: "GET /admin/audit", label: "Audit", icon: "book" },
];

export function describeShell(
  viewer: Viewer,
  now: { path: string; unread: number; notice: string | null },
): Shell {
  const { user, workspace, workspaces } = viewer;
  return {
    user: { name: user.name, email: user.email, timeZone: user.timeZone ?? "UTC" },
    workspaceName: workspace?.name ?? null,
    workspaces:
      workspaces.length < 2
        ? []
        : workspaces.map(({ id, name }) => ({ id, name, isSelected: id === workspace?.id })),
    links: entries.flatMap(({ route, label, icon, also = null }) => {
      const href = route.slice("GET ".length);
      const isCurrent = isWithin(now.path, href) || (also !== null && isWithin(now.path, also));
      return mayOpen(viewer, route) ? [{ label, icon, href, isCurrent }] : [];
    }),
    notifications: {
      isCurrent: isWithin(now.path, "/admin/notifications"),
      unread: now.unread === 0 ? null : now.unread > 99 ? "99+" : String(now.unread),
    },
    notice: now.notice,
  };
}

/** Where somebody signed in begins: the first page of the sidebar that they may open. */
export function firstPageOf(viewer: Viewer): string {
  const first = entries.find(({ route }) => mayOpen(viewer, route));
  return first === undefined ? "/admin/notifications" : first.route.slice("GET ".length);
}

function isWithin(path: string, href: string): boolean {
  return path === href || path.startsWith(`${href}/`);
}
