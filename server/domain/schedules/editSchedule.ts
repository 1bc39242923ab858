import type { Db, Tx } from "../../db/database.ts";
import { Invalid } from "../errors.ts";
import { isOperationName } from "../operations/catalog.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import { type Cadence, nextTime, parseCadence } from "./cadence.ts";
import { getRunnable, type KeptSchedule, relyingOn, type ScheduleRequest } from "./keptSchedule.ts";
import { recordSchedule } from "./recordSchedule.ts";
import { targetOf } from "./target.ts";

/**
 * Changes when a schedule runs and on what; where and what kind of work it is stays. Runs it has asked for
 * already go on as they were asked for. Throws like `createSchedule`.
 */
export async function editSchedule(
  db: Db,
  request: ScheduleRequest & { wanted: Cadence & { types: readonly string[] } },
): Promise<void> {
  const { actor, scheduleId, wanted } = request;
  const cadence = parseCadence(wanted);
  await changeAuthority(
    db,
    [{ kind: "schedule", id: scheduleId }],
    async (tx) => {
      const before = await getRunnable(tx, request);
      const target = retarget(before, wanted.types);
      await updateSchedule(tx, before, { ...cadence, target });
      await recordSchedule(tx, actor, "changed", before, {
        before: { cron: before.cron, timeZone: before.timeZone, target: before.target },
        after: { ...cadence, target },
      });
    },
    { ...relyingOn(request), takesNothingAway: true },
  );
}

function retarget({ operation }: KeptSchedule, types: readonly string[]) {
  if (!isOperationName(operation))
    throw new Invalid({ operation: "This release does not have the operation." });
  return targetOf(operation, types);
}

async function updateSchedule(
  tx: Tx,
  before: KeptSchedule,
  after: Cadence & { target: object },
): Promise<void> {
  const [clock] = await tx.query<{ now: Date }>(
    `update schedules set cron = $2, time_zone = $3, target = $4 where id = $1
     returning clock_timestamp() as now`,
    [before.id, after.cron, after.timeZone, JSON.stringify(after.target)],
  );
  // A time that has come already and is not asked for yet must not be lost by changing something else.
  if (after.cron === before.cron && after.timeZone === before.timeZone) return;
  await setNextTime(tx, before.id, nextTime(after, clock?.now ?? new Date()));
}

async function setNextTime(tx: Tx, scheduleId: string, next: Date | null): Promise<void> {
  await tx.query("update schedule_states set next_run_at = $2 where schedule_id = $1", [scheduleId, next]);
}
