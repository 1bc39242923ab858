import type { Tx } from "../../db/database.ts";
import type { OperationName } from "../../domain/operations/catalog.ts";
import { type Cadence, nextTime, nextTimes } from "../../domain/schedules/cadence.ts";
import { targetOf } from "../../domain/schedules/target.ts";
import { policyTypes } from "../../provider/policyTypes.ts";
import type { PastEvent } from "./auditOf.ts";
import { actorOf } from "./auditOf.ts";
import { adatum, contoso, litware, mia, northwind, olivia, type Person, type Tenant, theo } from "./cast.ts";
import { idOf } from "./ids.ts";
import { later } from "./tellRun.ts";

export type Schedule = Cadence & {
  id: string;
  operation: OperationName;
  tenant: Tenant;
  steward: Person;
  /** When it was made. */
  hoursAgo: number;
  /** Its time has come while nothing was running: the first tick of the demo asks for its run. */
  isDue: boolean;
};

const timeZone = "Europe/Berlin";

/** Its steward has left; it goes on, and needs another. */
export const nightlyBackup = makeSchedule("backup.create", contoso, theo, {
  cron: "30 2 * * *",
  timeZone,
  hoursAgo: 143,
});
const weekdaySync = makeSchedule("inventory.sync", adatum, olivia, {
  cron: "0 6 * * 1-5",
  timeZone,
  hoursAgo: 0.4,
});
/** Of a tenant that is suspended: it does not run until that is active again. */
export const pausedBackup = makeSchedule("backup.create", litware, mia, {
  cron: "0 */6 * * *",
  timeZone,
  hoursAgo: 7,
  isDue: true,
});

const schedules: readonly Schedule[] = [nightlyBackup, weekdaySync, pausedBackup];

/** The times (hours ago) at which the nightly backup has run since it was made, the latest first. */
export function nightsSince(now: Date): number[] {
  const madeAt = later(now, -nightlyBackup.hoursAgo * 3_600);
  return nextTimes(nightlyBackup, madeAt, 10)
    .map((time) => (now.getTime() - time.getTime()) / 3_600_000)
    .filter((hoursAgo) => hoursAgo > 0.1)
    .reverse();
}

function makeSchedule(
  operation: OperationName,
  tenant: Tenant,
  steward: Person,
  rest: Cadence & { hoursAgo: number; isDue?: boolean },
): Schedule {
  return {
    id: idOf("schedule", `${operation}/${tenant.name}`),
    operation,
    tenant,
    steward,
    isDue: false,
    ...rest,
  };
}

/** Northwind's schedules; in the caller's transaction. */
export async function insertSchedules(tx: Tx, now: Date): Promise<void> {
  await tx.query(
    `insert into schedules (id, workspace_id, tenant_id, operation, target, cron, time_zone, steward_id, steward_name)
     select id, $2, tenant_id, operation, target, cron, time_zone, steward_id, steward_name
     from jsonb_to_recordset($1::jsonb) as s (id uuid, tenant_id uuid, operation text, target jsonb, cron text,
       time_zone text, steward_id uuid, steward_name text)`,
    [JSON.stringify(schedules.map(toRow)), northwind.id],
  );
  await tx.query(
    `insert into schedule_states (schedule_id, next_run_at, created_by_name, created_at)
     select id, next_run_at, created_by_name, created_at
     from jsonb_to_recordset($1::jsonb) as s (id uuid, next_run_at timestamptz, created_by_name text,
       created_at timestamptz)`,
    [JSON.stringify(schedules.map((schedule) => toState(schedule, now)))],
  );
}

/** What each asked for last, once the runs of the days before are there. */
export async function rememberLastRuns(tx: Tx): Promise<void> {
  await tx.query(
    `update schedule_states s set last_run_id = r.id, last_asked_at = r.requested_at, last_outcome = r.outcome
     from (select distinct on (schedule_id) schedule_id, id, requested_at, nullif(outcome, 'pending') as outcome
       from operation_runs where schedule_id is not null order by schedule_id, id desc) r
     where r.schedule_id = s.schedule_id`,
  );
}

/** The audit trail of how they came to be. */
export function schedulesMade(now: Date): PastEvent[] {
  return schedules.map(({ id, operation, tenant, steward, cron, timeZone, hoursAgo }) => ({
    at: later(now, -hoursAgo * 3_600),
    workspaceId: northwind.id,
    tenantId: tenant.id,
    actor: actorOf(steward),
    action: "schedule.created",
    subject: { type: "schedule", id },
    outcome: "done",
    details: { operation, before: null, after: { cron, timeZone, target: targetOf(operation, policyTypes) } },
  }));
}

function toRow({ id, operation, tenant, steward, cron, timeZone }: Schedule) {
  const target = targetOf(operation, policyTypes);
  const place = { id, tenant_id: tenant.id, operation, target, cron, time_zone: timeZone };
  return { ...place, steward_id: steward.id, steward_name: steward.name };
}

function toState(schedule: Schedule, now: Date) {
  const { id, steward, hoursAgo, isDue } = schedule;
  const madeAt = later(now, -hoursAgo * 3_600);
  return {
    id,
    created_by_name: steward.name,
    created_at: madeAt,
    next_run_at: nextTime(schedule, isDue ? madeAt : now),
  };
}
