import type { Db, Reader, Tx } from "../../db/database.ts";
import { Conflict, Invalid } from "../errors.ts";
import { countStopped, type OpenRun, openRunLimit, type Stopped } from "../operations/countStopped.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import type { Drained } from "../revocation/drainWrites.ts";
import { nextTime } from "./cadence.ts";
import { scheduleName } from "./describeSchedule.ts";
import {
  getManaged,
  getRunnable,
  type KeptSchedule,
  relyingOn,
  type ScheduleRequest,
} from "./keptSchedule.ts";
import { recordSchedule } from "./recordSchedule.ts";

/** What was done to which schedule, what it stops, and what became of calls that were under way. */
export type ScheduleReceipt = { name: string; stops: Stopped; drained: Drained };

/**
 * Pauses a schedule: it asks for nothing, and what it has asked for stops before its next effect. A change of
 * authority: once this has returned, nothing happens under it. Throws `Conflict` when it is paused already,
 * `Invalid` for a note that is too long, `Forbidden` without `schedule.manage`.
 */
export async function pauseSchedule(
  db: Db,
  request: ScheduleRequest & { note: string },
): Promise<ScheduleReceipt> {
  const note = request.note.trim();
  if (note.length > 500) throw new Invalid({ note: "Keep it to 500 characters." });
  return revokeSchedule(db, request, async (tx, schedule, stops) => {
    if (schedule.status === "paused") throw new Conflict(`${scheduleName(schedule)} is paused already.`);
    await setPaused(tx, request, note);
    await recordSchedule(tx, request.actor, "paused", schedule, { note, stops });
  });
}

/** Deletes a schedule; its runs stay. Otherwise like pausing it. */
export async function deleteSchedule(db: Db, request: ScheduleRequest): Promise<ScheduleReceipt> {
  return revokeSchedule(db, request, async (tx, schedule, stops) => {
    await tx.query("delete from schedules where id = $1", [schedule.id]);
    const { cron, timeZone, target, stewardName } = schedule;
    await recordSchedule(tx, request.actor, "deleted", schedule, {
      before: { cron, timeZone, target, steward: stewardName },
      after: null,
      stops,
    });
  });
}

/**
 * Lets a paused schedule run again, from its next time on: what it has missed is not made up for. Throws
 * `Conflict` when it is not paused, `Forbidden` without `schedule.manage` or the operation's own capability.
 */
export async function resumeSchedule(db: Db, request: ScheduleRequest): Promise<void> {
  await changeAuthority(
    db,
    [{ kind: "schedule", id: request.scheduleId }],
    async (tx) => {
      const schedule = await getRunnable(tx, request);
      if (schedule.status === "active") throw new Conflict(`${scheduleName(schedule)} is not paused.`);
      await setActive(tx, schedule);
      await recordSchedule(tx, request.actor, "resumed", schedule, {});
    },
    { ...relyingOn(request), takesNothingAway: true },
  );
}

/** The schedule's open runs that pausing or deleting it would stop. */
export async function previewRevocation(reader: Reader, scheduleId: string): Promise<Stopped> {
  const runs = await listOpenRunsOf(reader, scheduleId);
  return countStopped(reader, runs, (facts) => ({ ...facts, schedule: { status: "paused" } }));
}

async function revokeSchedule(
  db: Db,
  request: ScheduleRequest,
  work: (tx: Tx, schedule: KeptSchedule, stops: Stopped) => Promise<void>,
): Promise<ScheduleReceipt> {
  const stops = await previewRevocation(db, request.scheduleId);
  const { value: name, drained } = await changeAuthority(
    db,
    [{ kind: "schedule", id: request.scheduleId }],
    async (tx) => {
      const { schedule } = await getManaged(tx, request);
      await work(tx, schedule, stops);
      return scheduleName(schedule);
    },
    relyingOn(request),
  );
  return { name, stops, drained };
}

async function setPaused(tx: Tx, { scheduleId, actor }: ScheduleRequest, note: string): Promise<void> {
  await tx.query("update schedules set status = 'paused' where id = $1", [scheduleId]);
  await tx.query(
    `update schedule_states set paused_at = clock_timestamp(), paused_by_name = $2, pause_note = $3
     where schedule_id = $1`,
    [scheduleId, actor.name, note === "" ? null : note],
  );
}

async function setActive(tx: Tx, schedule: KeptSchedule): Promise<void> {
  const [clock] = await tx.query<{ now: Date }>(
    "update schedules set status = 'active' where id = $1 returning clock_timestamp() as now",
    [schedule.id],
  );
  await tx.query(
    `update schedule_states set next_run_at = $2, paused_at = null, paused_by_name = null, pause_note = null
     where schedule_id = $1`,
    [schedule.id, nextTime(schedule, clock?.now ?? new Date())],
  );
}

function listOpenRunsOf(reader: Reader, scheduleId: string): Promise<OpenRun[]> {
  return reader.query<OpenRun>(
    `select id, tenant_id as "tenantId", status from operation_runs
     where schedule_id = $1 and status <> 'completed' order by id limit $2`,
    [scheduleId, openRunLimit],
  );
}
