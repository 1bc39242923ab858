import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { mayAnywhere, type Viewer } from "../domain/authority/viewer.ts";
import { mostSelected, type PolicyOperation } from "../domain/bulk/selections.ts";
import type { InventoryFilters } from "../domain/inventory/inventoryScope.ts";
import { countMatching, type ListedPolicy, listInventoryFor } from "../domain/inventory/listInventory.ts";
import { countLimit } from "../domain/operations/attention.ts";
import { contractOf } from "../domain/operations/catalog.ts";
import { counted } from "../domain/operations/runWords.ts";
import { listTenantChoices } from "../domain/tenants/listTenantChoices.ts";
import { mayOpen } from "../http/allows.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { policyTypes, typeLabels } from "../provider/policyTypes.ts";
import { type TypeOption, typeOptions } from "./backupWords.ts";
import { bounded } from "./operationCards.ts";
import { SearchText } from "./searchText.ts";
import { workspaceOf } from "./workspaceOf.ts";

/** What the list's address means. What it does not understand, it does without: an old bookmark still opens. */
const Query = z.object({
  tenant: Id.nullable().catch(null),
  type: z.enum(policyTypes).nullable().catch(null),
  text: SearchText,
  after: Id.nullable().catch(null),
});

export type InventoryQuery = z.infer<typeof Query>;

export function parseInventoryQuery(query: unknown): InventoryQuery {
  return Query.parse(query ?? {});
}

export function filtersOf({ tenant, type, text }: InventoryQuery): InventoryFilters {
  return { tenantId: tenant, type, text };
}

export type InventoryPage = {
  workspaceName: string;
  tenants: { value: string; label: string; isSelected: boolean }[];
  types: TypeOption[];
  text: string;
  count: string;
  rows: (Pick<ListedPolicy, "id" | "name" | "tenantName" | "changedAt" | "lastSeenAt"> & {
    address: string;
    type: string;
  })[];
  pages: { newer: string | null; older: string | null };
  /** What the viewer may do somewhere with what they choose; empty for who only looks. */
  actions: { operation: PolicyOperation; label: string }[];
  all: AllMatching;
  problem: string | null;
  empty: { title: string; words: string; link: { href: string; label: string } | null } | null;
};

/** Choosing all that match, with the filters and how many there are; or why that is not possible. */
type AllMatching = { label: string; fields: { name: string; value: string }[] } | { why: string };

/** `problem`: why what was chosen could not be taken. */
export async function readInventoryPage(
  reader: Reader,
  viewer: Viewer,
  query: InventoryQuery,
  problem: string | null = null,
): Promise<InventoryPage> {
  const [{ policies, next }, count, tenants] = await Promise.all([
    listInventoryFor(reader, viewer, filtersOf(query), query.after),
    countMatching(reader, viewer, filtersOf(query), countLimit),
    listTenantChoices(reader, viewer, "inventory.view"),
  ]);
  return {
    workspaceName: workspaceOf(viewer).name,
    tenants: tenants.map(({ id, name }) => ({ value: id, label: name, isSelected: id === query.tenant })),
    types: typeOptions(query.type),
    text: query.text ?? "",
    count: bounded(count),
    rows: policies.map(({ id, name, tenantName, type, changedAt, lastSeenAt }) => ({
      ...{ id, name, tenantName, changedAt, lastSeenAt },
      address: paths.policy(id),
      type: typeLabels[type],
    })),
    pages: {
      newer: query.after === null ? null : addressOf({ ...query, after: null }),
      older: next === null ? null : addressOf({ ...query, after: next }),
    },
    actions: actions.filter(({ operation }) => mayAnywhere(viewer, contractOf(operation).capability)),
    all: allMatching(query, count),
    problem,
    empty: policies.length > 0 ? null : emptyState(viewer, query),
  };
}

const actions = [
  { operation: "policies.bulk_assign", label: "Assign …" },
  { operation: "policies.bulk_delete", label: "Delete …" },
] as const;

function addressOf({ tenant, type, text, after }: InventoryQuery): string {
  return withQuery(paths.inventory, { tenant, type, text, after });
}

function allMatching({ tenant, type, text }: InventoryQuery, count: number): AllMatching {
  if (tenant === null) return { why: "Choose a tenant above to be able to take all that match." };
  if (count > mostSelected)
    return {
      why: `${bounded(count)} match, and at most ${mostSelected} can be taken at a time: narrow the list.`,
    };
  const fields = Object.entries({ tenant, type, text, count: String(count) });
  return {
    label: `All ${counted(count, "policy that matches", "policies that match")}, on all pages`,
    fields: fields.flatMap(([name, value]) => (value === null ? [] : [{ name, value }])),
  };
}

function emptyState(viewer: Viewer, query: InventoryQuery): InventoryPage["empty"] {
  const all = { href: paths.inventory, label: "Show all policies" };
  if (query.after !== null) return { title: "No more policies", words: "", link: all };
  const { tenant, type, text } = query;
  if (tenant !== null || type !== null || text !== null) {
    const names = [
      ...(type === null ? [] : [`of the type “${typeLabels[type]}”`]),
      ...(tenant === null ? [] : ["of one tenant"]),
      ...(text === null ? [] : [`named like “${text}”`]),
    ];
    return {
      title: "No policies match",
      words: `The list shows only those ${names.join(" and ")}.`,
      link: all,
    };
  }
  return {
    title: "No policies yet",
    words: "Sync a tenant: what is found there is listed here.",
    link: mayOpen(viewer, "GET /admin/tenants") ? { href: paths.tenants, label: "Go to tenants" } : null,
  };
}
