import type { Reader } from "../../db/database.ts";
import type { ReasonCode } from "../authority/reasons.ts";
import type { Viewer } from "../authority/viewer.ts";
import type { Outcome, RunStatus } from "../operations/run.ts";
import {
  type ListedSchedule,
  listedScheduleColumns,
  listedScheduleJoins,
  rankedSchedules,
  scopeOf,
} from "./listedSchedule.ts";

/** A schedule with everything its page tells. */
export type ShownSchedule = ListedSchedule & {
  target: unknown;
  createdAt: Date;
  createdBy: string;
  paused: { at: string; by: string; note: string | null } | null;
};

/** A schedule as far as the viewer may see schedules where it stands; out of scope reads as absent. */
export async function findScheduleFor(
  reader: Reader,
  viewer: Viewer,
  id: string,
): Promise<ShownSchedule | undefined> {
  const [schedule] = await reader.query<ShownSchedule>(
    `select ${listedScheduleColumns}, sc.target, s.created_at as "createdAt", s.created_by_name as "createdBy",
       case when sc.status = 'paused' and s.paused_at is not null then jsonb_build_object(
         'at', s.paused_at, 'by', s.paused_by_name, 'note', s.pause_note) end as paused
     from (${rankedSchedules("and sc.id = $5")}) as ranked ${listedScheduleJoins}`,
    [...scopeOf(viewer), id],
  );
  return schedule;
}

export type ScheduleRun = {
  id: string;
  status: RunStatus;
  outcome: Outcome;
  reasonCode: ReasonCode | null;
  repeats: number;
  requestedAt: Date;
  completedAt: Date | null;
};

const runsPerPage = 20;

/** A page of the runs a schedule has asked for, newest first; `older` is what to ask for as `before`. */
export async function listRunsOf(
  reader: Reader,
  scheduleId: string,
  before: string | null,
): Promise<{ runs: ScheduleRun[]; older: string | null }> {
  const rows = await reader.query<ScheduleRun>(
    `select id, status, outcome, reason_code as "reasonCode", repeats, requested_at as "requestedAt",
       completed_at as "completedAt"
     from operation_runs
     where schedule_id = $1 and parent_run_id is null and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [scheduleId, before, runsPerPage + 1],
  );
  const runs = rows.slice(0, runsPerPage);
  return { runs, older: rows.length > runsPerPage ? (runs.at(-1)?.id ?? null) : null };
}
