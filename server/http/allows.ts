import { hasRoles, may, mayAnywhere, type Viewer } from "../domain/authority/viewer.ts";
import { type Access, accessOf, type RouteName } from "./accessTable.ts";

/** Whether the viewer holds what a page of the selected workspace asks for. */
export function holds(
  viewer: Viewer,
  access: Extract<Access, { scope: "workspace" | "member" | "role" }>,
): boolean {
  if (access.scope === "workspace" && access.openWithoutRoles && !hasRoles(viewer)) return true;
  return access.at === "all_tenants"
    ? may(viewer, access.capability, null)
    : mayAnywhere(viewer, access.capability);
}

/** Whether a link to a page without an id in its address is worth showing. */
export function mayOpen(viewer: Viewer, route: RouteName): boolean {
  const access = accessOf(route);
  switch (access.scope) {
    case "public":
    case "account":
      return true;
    case "workspace":
      return viewer.workspace !== null && holds(viewer, access);
    case "tenant":
    case "run":
    case "member":
    case "role":
    case "event":
    case "schedule":
    case "backup":
    case "restore":
    case "policy":
    case "selection":
    case "notification":
      return false;
  }
}
