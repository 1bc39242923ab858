import type { Reader } from "../../db/database.ts";
import type { ReasonCode } from "../authority/reasons.ts";
import type { OperationName } from "./catalog.ts";
import type { RunTrigger } from "./freezeRequest.ts";
import { isStuck, type ListedRun, listedRunColumns, listedRunJoins } from "./listedRun.ts";
import type { Outcome, RunStatus } from "./run.ts";
import { inRunScope, type RunScope, scopeValues } from "./runScope.ts";
import type { TextMatch } from "./searchRuns.ts";

export type RunFilters = {
  status: RunStatus | null;
  outcome: Exclude<Outcome, "pending"> | null;
  reasonCode: ReasonCode | null;
  operation: OperationName | null;
  tenantId: string | null;
  /** Whose runs: a person's id, or those of the system. */
  initiator: { id: string } | "system" | null;
  trigger: RunTrigger | null;
  /** Requested from this moment on, and before that one. */
  from: Date | null;
  before: Date | null;
  /** What a text was found to stand for. */
  match: TextMatch | null;
  /** Completed within the last seven days. */
  recent: boolean;
  stuck: boolean;
  /** Only these, when given: those at risk are known by asking the gate's rules, not by a column. */
  ids: readonly string[] | null;
};

export const noFilters: RunFilters = {
  status: null,
  outcome: null,
  reasonCode: null,
  operation: null,
  tenantId: null,
  initiator: null,
  trigger: null,
  from: null,
  before: null,
  match: null,
  recent: false,
  stuck: false,
  ids: null,
};

/** `before` leads to older runs and `after` to newer ones; ids are time-ordered. */
export type RunCursor = { before: string } | { after: string } | null;

export type RunPage = { runs: ListedRun[]; newer: string | null; older: string | null };

const runsPerPage = 25;

/** One page of the runs someone may see, newest first. `newer` and `older` are the cursors that lead on. */
export async function listRuns(
  reader: Reader,
  scope: RunScope,
  filters: RunFilters,
  cursor: RunCursor,
): Promise<RunPage> {
  const ascending = cursor !== null && "after" in cursor;
  const found = await reader.query<ListedRun>(
    `select ${listedRunColumns}
     from operation_runs r ${listedRunJoins}
     where ${inRunScope} and ${matchesFilters}
       and ($22::uuid is null or r.id < $22) and ($23::uuid is null or r.id > $23)
     order by r.id ${ascending ? "asc" : "desc"} limit $24`,
    [
      ...scopeValues(scope),
      ...filterValues(filters),
      cursor !== null && "before" in cursor ? cursor.before : null,
      ascending ? cursor.after : null,
      runsPerPage + 1,
    ],
  );
  const more = found.length > runsPerPage;
  const page = found.slice(0, runsPerPage);
  const runs = ascending ? page.reverse() : page;
  const hasNewer = ascending ? more : cursor !== null;
  const hasOlder = ascending || more;
  return {
    runs,
    newer: hasNewer ? (runs[0]?.id ?? null) : null,
    older: hasOlder ? (runs.at(-1)?.id ?? null) : null,
  };
}

/**
 * Parameters 4 to 21. Ids are time-ordered, made at most moments apart from the request: a day more on either
 * side lets the list's own order bound what is read for a date.
 */
const matchesFilters = `($4::text is null or r.status = $4) and ($5::text is null or r.outcome = $5)
  and ($6::text is null or r.reason_code = $6) and ($7::text is null or r.operation = $7)
  and ($8::uuid is null or r.tenant_id = $8)
  and ($9::uuid is null or r.initiator_id = $9) and (not $10::boolean or r.initiator_id is null)
  and ($11::text is null or r.trigger = $11)
  and ($12::timestamptz is null or (r.requested_at >= $12
    and r.id >= oldest_id_at($12 - interval '1 day')))
  and ($13::timestamptz is null or (r.requested_at < $13
    and r.id < oldest_id_at($13 + interval '1 day')))
  and ($14::uuid is null or (r.id >= $14 and r.id <= $15))
  and ($16::uuid[] is null or r.tenant_id = any ($16) or r.initiator_id = any ($17) or r.operation = any ($18))
  and (not $19::boolean or r.completed_at > clock_timestamp() - interval '7 days')
  and ($20::uuid[] is null or r.id = any ($20)) and (not $21::boolean or (${isStuck}))`;

function filterValues(filters: RunFilters): unknown[] {
  const { initiator, match } = filters;
  return [
    filters.status,
    filters.outcome,
    filters.reasonCode,
    filters.operation,
    filters.tenantId,
    initiator !== null && initiator !== "system" ? initiator.id : null,
    initiator === "system",
    filters.trigger,
    filters.from,
    filters.before,
    match?.kind === "ids" ? match.first : null,
    match?.kind === "ids" ? match.last : null,
    match?.kind === "names" ? match.tenantIds : null,
    match?.kind === "names" ? match.initiatorIds : null,
    match?.kind === "names" ? match.operations : null,
    filters.recent,
    filters.ids,
    filters.stuck,
  ];
}
