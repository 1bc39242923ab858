import type { Reader } from "../db/database.ts";
import { hasRoles, may, type Viewer } from "../domain/authority/viewer.ts";
import {
  type Attention,
  countAttention,
  listTenantNames,
  listWaiting,
} from "../domain/operations/attention.ts";
import { contractOf, operationNames } from "../domain/operations/catalog.ts";
import { describeListedRun, type RunRow } from "../domain/operations/describeListedRun.ts";
import { listRuns } from "../domain/operations/listRuns.ts";
import { previewRuns } from "../domain/operations/previewRuns.ts";
import { runScopeOf } from "../domain/operations/runScope.ts";
import { mayOpen } from "../http/allows.ts";
import { bounded, type Card, cardsFor } from "./operationCards.ts";
import {
  type Chip,
  chipsFor,
  cursorFrom,
  filtersFrom,
  type ListQuery,
  listAddress,
  namesOfFilters,
} from "./operationFilters.ts";

export type ListPage = {
  workspaceName: string;
  cards: Card[];
  chips: Chip[];
  narrow: { operations: Option[]; tenants: Option[]; kept: { name: string; value: string }[] };
  rows: (RunRow & { opensTenant: boolean })[];
  pages: { newer: string | null; older: string | null };
  /** What the list's own address is; polled while something waits or runs. */
  address: string;
  isLive: boolean;
  /** What changes are announced as. */
  summary: string;
  empty: { title: string; words: string; link: { href: string; label: string } | null } | null;
};

type Option = { value: string; label: string; isSelected: boolean };

export async function readListPage(reader: Reader, viewer: Viewer, query: ListQuery): Promise<ListPage> {
  const scope = runScopeOf(viewer);
  const [counts, tenants, waiting] = await Promise.all([
    countAttention(reader, scope),
    listTenantNames(reader, scope),
    listWaiting(reader, scope),
  ]);
  const verdicts = await previewRuns(reader, waiting);
  const atRisk = waiting.filter((id) => verdicts.get(id)?.verdict === "denied");
  const found = await listRuns(reader, scope, filtersFrom(query, atRisk), cursorFrom(query));
  const at = new Date();
  const around = (id: string) => ({ hasWorker: counts.hasWorker, now: verdicts.get(id), at });
  const tenantName = tenants.find(({ id }) => id === query.tenant)?.name;
  return {
    workspaceName: viewer.workspace?.name ?? "",
    cards: cardsFor(query, counts, atRisk.length),
    chips: chipsFor(query, { running: bounded(counts.running), queued: bounded(counts.queued) }),
    narrow: narrowBy(query, tenants),
    rows: found.runs.map((run) => ({
      ...describeListedRun(run, around(run.id)),
      opensTenant: run.tenantExists && may(viewer, "tenant.view", run.tenantId),
    })),
    pages: {
      newer: found.newer && listAddress(query, { after: found.newer }),
      older: found.older && listAddress(query, { before: found.older }),
    },
    address: listAddress(query, { before: query.before, after: query.after }),
    isLive: counts.queued + counts.running > 0,
    summary: summaryOf(counts),
    empty: found.runs.length > 0 ? null : emptyState(viewer, query, tenantName),
  };
}

function narrowBy(query: ListQuery, tenants: { id: string; name: string }[]): ListPage["narrow"] {
  const { status, outcome, attention, since } = query;
  return {
    operations: operationNames.map((name) => ({
      value: name,
      label: contractOf(name).title,
      isSelected: name === query.operation,
    })),
    tenants: tenants.map(({ id, name }) => ({ value: id, label: name, isSelected: id === query.tenant })),
    kept: Object.entries({ status, outcome, attention, since }).flatMap(([name, value]) =>
      value === null ? [] : [{ name, value }],
    ),
  };
}

function summaryOf(counts: Attention): string {
  return `${bounded(counts.running)} running, ${bounded(counts.queued)} queued`;
}

function emptyState(viewer: Viewer, query: ListQuery, tenantName: string | undefined): ListPage["empty"] {
  const filters = namesOfFilters(query, tenantName);
  if (filters.length > 0) {
    return {
      title: "No operations match",
      words: `The list shows only: ${filters.join(", ")}.`,
      link: { href: listAddress(query, cleared), label: "Clear the filters" },
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

const cleared = {
  status: null,
  outcome: null,
  operation: null,
  tenant: null,
  attention: null,
  since: null,
} as const;
