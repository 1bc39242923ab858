import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { hasRoles, type Viewer } from "../domain/authority/viewer.ts";
import { describeExpiry } from "../domain/connections/describeExpiry.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import {
  connectionBadges,
  heldBadge,
  lifecycleBadges,
  noConnection,
} from "../domain/tenants/describeTenant.ts";
import { findHold, type HoldRow } from "../domain/tenants/holdRows.ts";
import {
  countTenantsFor,
  type ListedTenant,
  listTenantsFor,
  type TenantCounts,
  type TenantKind,
  tenantKinds,
} from "../domain/tenants/listTenantsFor.ts";
import { mayOpen } from "../http/allows.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { SearchText } from "./searchText.ts";
import { workspaceOf } from "./workspaceOf.ts";

/** What the list's address means. What it does not understand, it does without: an old bookmark still opens. */
const Query = z.object({
  kind: z.enum(tenantKinds).catch("all"),
  search: SearchText,
  after: Id.nullable().catch(null),
});

export type TenantsQuery = z.infer<typeof Query>;

export function parseTenantsQuery(query: unknown): TenantsQuery {
  return Query.parse(query);
}

type Card = {
  count: number;
  label: string;
  words: string;
  icon: string;
  tone: string;
  href: string;
  isCurrent: boolean;
};

export type TenantsPage = {
  workspaceName: string;
  /** The hold of the whole workspace, and where it is looked after; null for who may not. */
  hold: HoldRow | null;
  holdAddress: string | null;
  cards: Card[];
  search: string;
  kind: TenantKind;
  /** Where to sync all that the list shows; null for who may sync nowhere. */
  syncAddress: string | null;
  rows: TenantRow[];
  pages: { newer: string | null; older: string | null };
  empty: { title: string; words: string; link: { href: string; label: string } | null } | null;
};

export type TenantRow = Pick<ListedTenant, "id" | "name" | "hold" | "lastSyncAt" | "openRuns"> & {
  badges: Badge[];
  connection: Badge;
  /** Set when the credential ends soon or has ended. */
  expiry: Badge | null;
};

export async function readTenantsPage(
  reader: Reader,
  viewer: Viewer,
  query: TenantsQuery,
): Promise<TenantsPage> {
  const { id: workspaceId, name: workspaceName } = workspaceOf(viewer);
  const [hold, counts, found] = await Promise.all([
    findHold(reader, { workspaceId, tenantId: null }),
    countTenantsFor(reader, viewer),
    listTenantsFor(reader, viewer, query),
  ]);
  return {
    workspaceName,
    hold: hold ?? null,
    holdAddress: mayOpen(viewer, "GET /admin/hold") ? paths.hold(null) : null,
    cards: cardsFor(query, counts),
    search: query.search ?? "",
    kind: query.kind,
    syncAddress: mayOpen(viewer, "GET /admin/bulk/sync") ? syncAddressOf(query) : null,
    rows: found.tenants.map(toRow),
    pages: {
      newer: query.after === null ? null : addressOf({ ...query, after: null }),
      older: found.next === null ? null : addressOf({ ...query, after: found.next }),
    },
    empty: found.tenants.length > 0 ? null : emptyState(viewer, query),
  };
}

function addressOf({ kind, search, after }: TenantsQuery): string {
  return withQuery(paths.tenants, { kind: kind === "all" ? null : kind, search, after });
}

function syncAddressOf({ kind, search }: TenantsQuery): string {
  return withQuery(paths.bulkSync, { kind, search });
}

const looks = {
  all: { label: "Tenants", words: "you may see", icon: "building", tone: "run" },
  held: { label: "On hold", words: "their queues are paused", icon: "pause", tone: "part" },
  suspended: { label: "Suspended", words: "only verification runs", icon: "warning", tone: "part" },
  refused: { label: "Connection refused", words: "operations are blocked", icon: "failed", tone: "fail" },
} as const satisfies Record<TenantKind, Pick<Card, "label" | "words" | "icon" | "tone">>;

function cardsFor(query: TenantsQuery, counts: TenantCounts): Card[] {
  const kinds: readonly TenantKind[] = ["held", "suspended", "refused", "all"];
  return kinds.map((kind) => ({
    ...looks[kind],
    count: counts[kind],
    href: addressOf({ kind, search: query.search, after: null }),
    isCurrent: kind === query.kind,
  }));
}

function toRow(tenant: ListedTenant): TenantRow {
  const { id, name, hold, lastSyncAt, openRuns, lifecycle, connection, credentialExpiresAt } = tenant;
  return {
    ...{ id, name, hold, lastSyncAt, openRuns },
    badges: [...(hold === null ? [] : [heldBadge]), lifecycleBadges[lifecycle]],
    connection: connection === null ? noConnection : connectionBadges[connection],
    expiry: describeExpiry(credentialExpiresAt, new Date())?.badge ?? null,
  };
}

function emptyState(viewer: Viewer, query: TenantsQuery): TenantsPage["empty"] {
  const all = { href: paths.tenants, label: "Show all tenants" };
  if (query.after !== null) return { title: "No more tenants", words: "", link: all };
  if (query.search !== null || query.kind !== "all") {
    const kind = query.kind === "all" ? [] : [looks[query.kind].label.toLowerCase()];
    const search = query.search === null ? [] : [`named like “${query.search}”`];
    return {
      title: "No tenants match",
      words: `The list shows only those ${[...kind, ...search].join(" and ")}.`,
      link: all,
    };
  }
  const words = hasRoles(viewer)
    ? "Tenants that your roles cover are listed here."
    : "You are a member of this workspace; tenants appear once somebody gives you a role.";
  return { title: hasRoles(viewer) ? "No tenants yet" : "You have no role here yet", words, link: null };
}
