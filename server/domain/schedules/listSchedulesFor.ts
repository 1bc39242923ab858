import type { Reader } from "../../db/database.ts";
import type { Viewer } from "../authority/viewer.ts";
import type { OperationName } from "../operations/catalog.ts";
import { type ListedSchedule, listedScheduleColumns, rankedSchedules, scopeOf } from "./listedSchedule.ts";

/** What to list: every schedule, or those of one kind. `steward`: those that need a new one. */
export const scheduleKinds = ["all", "attention", "steward", "active", "paused"] as const;
export type ScheduleKind = (typeof scheduleKinds)[number];

export type ScheduleQuery = {
  kind: ScheduleKind;
  operation: OperationName | null;
  tenantId: string | null;
  /** The last schedule of the page before. */
  after: string | null;
};

const schedulesPerPage = 50;

const inKind = `($5 = 'all' or ($5 = 'attention' and cardinality(needs) > 0) or $5 = any (needs) or $5 = status)`;

/**
 * A page of the schedules the viewer may see in the present workspace: what needs a person first, paused ones
 * last, then by tenant. `next` is what to ask for as `after`.
 */
export async function listSchedulesFor(
  reader: Reader,
  viewer: Viewer,
  { kind, operation, tenantId, after }: ScheduleQuery,
): Promise<{ schedules: ListedSchedule[]; next: string | null }> {
  const rows = await reader.query<ListedSchedule>(
    `with ranked as (${rankedSchedules})
     select ${listedScheduleColumns} from ranked
     where ${inKind} and ($6::text is null or operation = $6) and ($7::uuid is null or "tenantId" = $7)
       and ($8::uuid is null or (rank, place, operation, id) > (select rank, place, operation, id from ranked where id = $8))
     order by rank, place, operation, id limit $9`,
    [...scopeOf(viewer), kind, operation, tenantId, after, schedulesPerPage + 1],
  );
  const schedules = rows.slice(0, schedulesPerPage);
  return { schedules, next: rows.length > schedulesPerPage ? (schedules.at(-1)?.id ?? null) : null };
}

export type ScheduleCounts = Record<ScheduleKind, number>;

/** How many schedules of each kind the viewer may see; of the first 10,000. */
export async function countSchedulesFor(reader: Reader, viewer: Viewer): Promise<ScheduleCounts> {
  const [counts] = await reader.query<ScheduleCounts>(
    `select count(*)::integer as "all",
       count(*) filter (where cardinality(needs) > 0)::integer as attention,
       count(*) filter (where 'steward' = any (needs))::integer as steward,
       count(*) filter (where status = 'active')::integer as active,
       count(*) filter (where status = 'paused')::integer as paused
     from (${rankedSchedules} limit 10000) as ranked`,
    scopeOf(viewer),
  );
  return counts ?? { all: 0, attention: 0, steward: 0, active: 0, paused: 0 };
}

/** Those of the named schedules that the viewer may see, in the order of the list. */
export function listSchedulesNamed(
  reader: Reader,
  viewer: Viewer,
  ids: readonly string[],
): Promise<ListedSchedule[]> {
  return reader.query<ListedSchedule>(
    `with ranked as (${rankedSchedules})
     select ${listedScheduleColumns} from ranked where id = any ($5::uuid[]) order by rank, place, operation, id limit 200`,
    [...scopeOf(viewer), ids],
  );
}
