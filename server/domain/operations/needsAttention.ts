import type { Reader } from "../../db/database.ts";
import type { ReasonCode } from "../authority/reasons.ts";
import type { OperationName } from "./catalog.ts";
import { type ListedRun, listedRunColumns, listedRunJoins } from "./listedRun.ts";
import { inRunScope, type RunScope, scopeValues } from "./runScope.ts";

/** Where a run stands among its like: at its tenant, or with whoever asked for one without a tenant. */
export const placeOf = (run: string) =>
  `coalesce(${run}.tenant_id, ${run}.initiator_id, ${run}.workspace_id)`;

/** Whether the blocked run `r` was followed by a success of the same operation at the same place. */
export const isResolved = `exists (select 1 from operation_runs s
  where s.workspace_id = r.workspace_id and s.outcome = 'succeeded' and s.operation = r.operation
    and ${placeOf("s")} = ${placeOf("r")} and s.completed_at > r.completed_at)`;

/** Blocked runs of one operation at one tenant for one reason: the newest of them, and how many there are. */
export type StandingGroup = { run: ListedRun; runs: number };

export type StandingFilters = {
  operation: OperationName | null;
  tenantId: string | null;
  reasonCode: ReasonCode | null;
};

/** Kinds looked at in one go; a page shows the first hundred of those that stand. */
const kindLimit = 2_000;
export const standingLimit = 100;
/** Runs of one kind are counted to here. */
export const standingRunLimit = 1_000;

/** From each kind of blocked run that was not set aside to the next, one step down the index each. */
const newestOfEachKind = `with recursive newest as (
    (select ${placeOf("b")} as place, b.operation, b.reason_code, b.id from operation_runs b
     where b.workspace_id = $1 and b.outcome = 'blocked' and b.dismissed_at is null
     order by ${placeOf("b")}, b.operation, b.reason_code, b.id desc limit 1)
    union all
    select next.* from newest n cross join lateral (
      select ${placeOf("b")} as place, b.operation, b.reason_code, b.id from operation_runs b
      where b.workspace_id = $1 and b.outcome = 'blocked' and b.dismissed_at is null
        and (${placeOf("b")}, b.operation, b.reason_code) > (n.place, n.operation, n.reason_code)
      order by ${placeOf("b")}, b.operation, b.reason_code, b.id desc limit 1) next),
  kinds as (select * from newest limit ${kindLimit})`;

/** How many kinds of blocked runs nobody has dealt with (handbook 1, "Who hears about an outcome"). */
export async function countStanding(reader: Reader, scope: RunScope): Promise<number> {
  const [row] = await reader.query<{ kinds: number }>(
    `${newestOfEachKind}
     select count(*)::int as kinds from kinds k join operation_runs r on r.id = k.id
     where ${inRunScope} and not ${isResolved}`,
    scopeValues(scope),
  );
  return row?.kinds ?? 0;
}

/**
 * What was blocked and neither resolved by a later success nor set aside, collapsed per tenant, operation and
 * reason; the newest first, a hundred at most.
 */
export async function listStanding(
  reader: Reader,
  scope: RunScope,
  filters: StandingFilters,
): Promise<StandingGroup[]> {
  const rows = await reader.query<ListedRun & { standingRuns: number }>(
    `${newestOfEachKind}
     select ${listedRunColumns}, alike.runs as "standingRuns"
     from kinds k join operation_runs r on r.id = k.id ${listedRunJoins}
     cross join lateral (
       select count(*)::int as runs from (
         select 1 from operation_runs b
         where b.workspace_id = $1 and b.outcome = 'blocked' and b.dismissed_at is null
           and ${placeOf("b")} = k.place and b.operation = k.operation and b.reason_code = k.reason_code
           and b.completed_at > coalesce((
             select s.completed_at from operation_runs s
             where s.workspace_id = $1 and s.outcome = 'succeeded' and ${placeOf("s")} = k.place
               and s.operation = k.operation order by s.completed_at desc limit 1), '-infinity')
         limit ${standingRunLimit + 1}) b) alike
     where ${inRunScope} and not ${isResolved}
       and ($4::text is null or r.operation = $4) and ($5::uuid is null or r.tenant_id = $5)
       and ($6::text is null or r.reason_code = $6)
     order by r.id desc limit ${standingLimit}`,
    [...scopeValues(scope), filters.operation, filters.tenantId, filters.reasonCode],
  );
  return rows.map(({ standingRuns, ...run }) => ({ run, runs: standingRuns }));
}
