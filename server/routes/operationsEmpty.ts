import { hasRoles, type Viewer } from "../domain/authority/viewer.ts";
import { mayOpen } from "../http/allows.ts";
import { type FilterNames, namesOfFilters } from "./operationFilters.ts";
import { allOff, type ListQuery, listAddress } from "./operationQuery.ts";

/** Why a list is empty, and where to go from there. */
export type EmptyState = { title: string; words: string; link: { href: string; label: string } | null };

export function emptyState(viewer: Viewer, query: ListQuery, names: FilterNames): EmptyState {
  const filters = namesOfFilters(query, names);
  if (query.attention === "blocked" && filters.length === 1)
    return {
      title: "Nothing waits for you here",
      words: "Everything that was blocked by policy has been resolved or dismissed.",
      link: { href: listAddress(query, allOff), label: "All operations" },
    };
  if (filters.length > 0) {
    return {
      title: "No operations match",
      words: `The list shows only: ${filters.join(", ")}.`,
      link: { href: listAddress(query, allOff), label: "Clear the filters" },
    };
  }
  if (query.before !== null || query.after !== null)
    return {
      title: "No more operations",
      words: "",
      link: { href: listAddress(query), label: "Newest first" },
    };
  if (!hasRoles(viewer))
    return {
      title: "You have no role here yet",
      words: "You are a member of this workspace; what you may see appears once somebody gives you a role.",
      link: null,
    };
  return {
    title: "No operations yet",
    words: "Operations start from a tenant’s page and are listed here from then on.",
    link: mayOpen(viewer, "GET /admin/tenants") ? { href: "/admin/tenants", label: "Go to tenants" } : null,
  };
}
