import { z } from "zod";
import { reasonCodes } from "../domain/authority/reasons.ts";
import { operationNames } from "../domain/operations/catalog.ts";
import type { RunCursor, RunFilters } from "../domain/operations/listRuns.ts";
import type { TextMatch } from "../domain/operations/searchRuns.ts";
import { startOfDay } from "../http/days.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { usableZone } from "../http/showTime.ts";
import { SearchText } from "./searchText.ts";

const outcomes = ["succeeded", "partially_succeeded", "blocked", "failed", "cancelled"] as const;
export const triggers = ["page", "command", "schedule", "retention", "bulk"] as const;

/** The list's address. What it does not understand, it does without: an old bookmark still opens. */
const Query = z.object({
  status: z.enum(["queued", "running", "completed"]).nullable().catch(null),
  outcome: z.enum(outcomes).nullable().catch(null),
  reason: z.enum(reasonCodes).nullable().catch(null),
  operation: z.enum(operationNames).nullable().catch(null),
  tenant: Id.nullable().catch(null),
  initiator: z
    .union([z.literal("system"), Id])
    .nullable()
    .catch(null),
  trigger: z.enum(triggers).nullable().catch(null),
  from: z.iso.date().nullable().catch(null),
  to: z.iso.date().nullable().catch(null),
  text: SearchText,
  attention: z.enum(["blocked", "at_risk", "stuck"]).nullable().catch(null),
  since: z.literal("7d").nullable().catch(null),
  before: Id.nullable().catch(null),
  after: Id.nullable().catch(null),
});

export type ListQuery = z.infer<typeof Query>;

export function parseListQuery(query: unknown): ListQuery {
  return Query.parse(query);
}

/** `atRisk` are the waiting runs that would be denied now, `match` is what the text stands for. */
export function filtersFrom(
  query: ListQuery,
  known: { atRisk: readonly string[]; match: TextMatch | null; timeZone: string | null },
): RunFilters {
  const zone = usableZone(known.timeZone);
  const { initiator } = query;
  return {
    status: query.status,
    outcome: query.outcome,
    reasonCode: query.reason,
    operation: query.operation,
    tenantId: query.tenant,
    initiator: initiator === null || initiator === "system" ? initiator : { id: initiator },
    trigger: query.trigger,
    from: query.from === null ? null : startOfDay(query.from, zone),
    before: query.to === null ? null : startOfDay(query.to, zone, 1),
    match: known.match,
    recent: query.since === "7d",
    stuck: query.attention === "stuck",
    ids: query.attention === "at_risk" ? known.atRisk : null,
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

/** The list of what nobody has dealt with knows where, what and why; the rest narrows down runs. */
export const runFiltersOff = {
  initiator: null,
  trigger: null,
  from: null,
  to: null,
  text: null,
} as const;

export const allOff = {
  ...runFiltersOff,
  status: null,
  outcome: null,
  reason: null,
  operation: null,
  tenant: null,
  attention: null,
  since: null,
} as const;
