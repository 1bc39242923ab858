import { z } from "zod";
import { contractOf, isOperationName, operationNames } from "../domain/operations/catalog.ts";
import type { RunCursor, RunFilters } from "../domain/operations/listRuns.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";

const outcomes = ["succeeded", "partially_succeeded", "blocked", "failed", "cancelled"] as const;

/** The list's address. What it does not understand, it does without: an old bookmark still opens. */
const Query = z.object({
  status: z.enum(["queued", "running", "completed"]).nullable().catch(null),
  outcome: z.enum(outcomes).nullable().catch(null),
  operation: z.string().refine(isOperationName).nullable().catch(null),
  tenant: Id.nullable().catch(null),
  attention: z.enum(["at_risk", "stuck"]).nullable().catch(null),
  since: z.literal("7d").nullable().catch(null),
  before: Id.nullable().catch(null),
  after: Id.nullable().catch(null),
});

export type ListQuery = z.infer<typeof Query>;

export function parseListQuery(query: unknown): ListQuery {
  return Query.parse(query);
}

/** `atRisk` are the waiting runs that would be denied now. */
export function filtersFrom(query: ListQuery, atRisk: readonly string[]): RunFilters {
  return {
    status: query.status,
    outcome: query.outcome,
    operation: operationNames.find((name) => name === query.operation) ?? null,
    tenantId: query.tenant,
    recent: query.since === "7d",
    stuck: query.attention === "stuck",
    ids: query.attention === "at_risk" ? atRisk : null,
  };
}

export function cursorFrom({ before, after }: ListQuery): RunCursor {
  if (before !== null) return { before };
  return after === null ? null : { after };
}

/** The same list with some filters changed, from its first page. */
export function listAddress(query: ListQuery, change: Partial<ListQuery> = {}): string {
  return withQuery(paths.operations, { ...query, before: null, after: null, ...change });
}

export type Chip = { label: string; href: string; isCurrent: boolean };

const anyState = { status: null, outcome: null, attention: null, since: null } as const;

export function chipsFor(query: ListQuery, open: { running: string; queued: string }): Chip[] {
  const chip = (label: string, state: Partial<ListQuery>) => ({
    label,
    href: listAddress(query, { ...anyState, ...state }),
    isCurrent: isSameState(query, { ...anyState, ...state }),
  });
  return [
    chip("All", {}),
    chip(`Running ${open.running}`, { status: "running" }),
    chip(`Queued ${open.queued}`, { status: "queued" }),
    chip("Blocked by policy", { outcome: "blocked" }),
    chip("Failed", { outcome: "failed" }),
    chip("Partially succeeded", { outcome: "partially_succeeded" }),
    chip("Succeeded", { outcome: "succeeded" }),
    chip("Cancelled", { outcome: "cancelled" }),
  ];
}

export function isSameState(query: ListQuery, state: Partial<ListQuery>): boolean {
  const asked = { ...anyState, ...state };
  return (
    query.status === asked.status &&
    query.outcome === asked.outcome &&
    query.attention === asked.attention &&
    query.since === asked.since
  );
}

const stateWords = {
  queued: "Queued",
  running: "Running",
  completed: "Completed",
  succeeded: "Succeeded",
  partially_succeeded: "Partially succeeded",
  blocked: "Blocked by policy",
  failed: "Failed",
  cancelled: "Cancelled",
  at_risk: "At risk",
  stuck: "Likely stuck",
} as const;

/** The active filters in words, for an empty list to name. */
export function namesOfFilters(query: ListQuery, tenantName: string | undefined): string[] {
  const states = [query.status, query.outcome, query.attention].flatMap((state) =>
    state === null ? [] : [stateWords[state]],
  );
  return [
    ...states,
    ...(query.since === null ? [] : ["in the last 7 days"]),
    ...(query.operation === null || !isOperationName(query.operation)
      ? []
      : [contractOf(query.operation).title]),
    ...(query.tenant === null ? [] : [tenantName ?? "a tenant that is not here"]),
  ];
}
