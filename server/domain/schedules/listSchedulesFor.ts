import type { Reader } from "../../db/database.ts";
import type { Viewer } from "../authority/viewer.ts";
import type { OperationName } from "../operations/catalog.ts";
import {
  type ListedSchedule,
  listedScheduleColumns,
  listedScheduleJoins,
  rankedSchedules,
  scopeOf,
} from "./listedSchedule.ts";

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
  const last = after === null ? undefined : await findStanding(reader, viewer, after);
  const rows = await reader.query<ListedSchedule>(
    `with ranked as (
       select * from (${rankedSchedules()}) every
       where ${inKind} and ($6::text is null or operation = $6) and ($7::uuid is null or tenant_id = $7)
         and ($8::integer is null or (rank, place, operation, id) > ($8, $9::text, $10::text, $11::uuid))
       order by rank, place, operation, id limit $12
     )
     select ${listedScheduleColumns} from ranked ${listedScheduleJoins}
     order by ranked.rank, ranked.place, ranked.operation, ranked.id`,
    [
      ...scopeOf(viewer),
      kind,
      operation,
      tenantId,
      last?.rank ?? null,
      last?.place ?? null,
      last?.operation ?? null,
      last?.id ?? null,
      schedulesPerPage + 1,
    ],
  );
  const schedules = rows.slice(0, schedulesPerPage);
  return { schedules, next: rows.length > schedulesPerPage ? (schedules.at(-1)?.id ?? null) : null };
}

type Standing = { rank: number; place: string; operation: string; id: string };

/** Where a schedule stands in the order now: a page goes on behind it, or begins anew when it is gone. */
async function findStanding(reader: Reader, viewer: Viewer, id: string): Promise<Standing | undefined> {
  const [standing] = await reader.query<Standing>(
    `select rank, place, operation, id from (${rankedSchedules("and sc.id = $5")}) as ranked`,
    [...scopeOf(viewer), id],
  );
  return standing;
}

export type ScheduleCounts = Record<ScheduleKind, number>;

/** How many schedules of each kind the viewer may see. */
export async function countSchedulesFor(reader: Reader, viewer: Viewer): Promise<ScheduleCounts> {
  const [counts] = await reader.query<ScheduleCounts>(
    `select count(*)::integer as "all",
       count(*) filter (where cardinality(needs) > 0)::integer as attention,
       count(*) filter (where 'steward' = any (needs))::integer as steward,
       count(*) filter (where status = 'active')::integer as active,
       count(*) filter (where status = 'paused')::integer as paused
     from (${rankedSchedules()}) as ranked`,
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
    `select ${listedScheduleColumns}
     from (${rankedSchedules("and sc.id = any ($5::uuid[])")}) as ranked ${listedScheduleJoins}
     order by ranked.rank, ranked.place, ranked.operation, ranked.id limit 200`,
    [...scopeOf(viewer), ids],
  );
}
