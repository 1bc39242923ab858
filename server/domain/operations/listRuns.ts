import type { Reader } from "../../db/database.ts";
import type { OperationName } from "./catalog.ts";
import { isStuck, type ListedRun, listedRunColumns, listedRunJoins } from "./listedRun.ts";
import type { Outcome, RunStatus } from "./run.ts";
import { inRunScope, type RunScope, scopeValues } from "./runScope.ts";

export type RunFilters = {
  status: RunStatus | null;
  outcome: Exclude<Outcome, "pending"> | null;
  operation: OperationName | null;
  tenantId: string | null;
  /** Completed within the last seven days. */
  recent: boolean;
  stuck: boolean;
  /** Only these, when given: those at risk are known by asking the gate's rules, not by a column. */
  ids: readonly string[] | null;
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
     where ${inRunScope}
       and ($4::text is null or r.status = $4) and ($5::text is null or r.outcome = $5)
       and ($6::text is null or r.operation = $6) and ($7::uuid is null or r.tenant_id = $7)
       and (not $8::boolean or r.completed_at > clock_timestamp() - interval '7 days')
       and (not $9::boolean or (${isStuck})) and ($10::uuid[] is null or r.id = any ($10))
       and ($11::uuid is null or r.id < $11) and ($12::uuid is null or r.id > $12)
     order by r.id ${ascending ? "asc" : "desc"} limit $13`,
    [
      ...scopeValues(scope),
      filters.status,
      filters.outcome,
      filters.operation,
      filters.tenantId,
      filters.recent,
      filters.stuck,
      filters.ids,
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
