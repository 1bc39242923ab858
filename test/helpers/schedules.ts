import { v7 as uuidv7 } from "uuid";
import type { Db } from "../../server/db/database.ts";
import type { TestUser } from "./factories.ts";

export type GivenSchedule = {
  workspace: { id: string };
  tenant: { id: string } | null;
  steward: TestUser;
  /** Any name: a release may no longer have what an earlier one kept. */
  operation?: string;
  cron?: string;
  timeZone?: string;
  status?: "active" | "paused";
  nextRunAt?: Date | null;
};

/** A schedule as it would stand in the table; of a sync every hour, due in the next one, unless said otherwise. */
export async function createSchedule(db: Db, given: GivenSchedule): Promise<{ id: string }> {
  const id = uuidv7();
  const { operation = "inventory.sync", nextRunAt = new Date(Date.now() + 3_600_000) } = given;
  const target = operation === "provider.connection.verify" ? {} : { types: ["deviceConfigurations"] };
  await db.transaction(async (tx) => {
    await tx.query(
      `insert into schedules (id, workspace_id, tenant_id, operation, target, cron, time_zone, steward_id,
         steward_name, status) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        id,
        given.workspace.id,
        given.tenant?.id ?? null,
        operation,
        JSON.stringify(target),
        given.cron ?? "0 * * * *",
        given.timeZone ?? "UTC",
        given.steward.id,
        given.steward.name,
        given.status ?? "active",
      ],
    );
    await tx.query(
      "insert into schedule_states (schedule_id, next_run_at, created_by_name) values ($1, $2, $3)",
      [id, nextRunAt, given.steward.name],
    );
  });
  return { id };
}

export type ScheduleRecord = {
  nextRunAt: Date | null;
  lastRunId: string | null;
  skipped: number;
  foundNone: number;
  status: string;
  stewardId: string;
  cron: string;
  pauseNote: string | null;
};

export async function findSchedule(db: Db, id: string): Promise<ScheduleRecord | undefined> {
  const [schedule] = await db.query<ScheduleRecord>(
    `select s.next_run_at as "nextRunAt", s.last_run_id as "lastRunId", s.skipped,
       s.found_none as "foundNone", sc.status,
       sc.steward_id as "stewardId", sc.cron, s.pause_note as "pauseNote"
     from schedules sc join schedule_states s on s.schedule_id = sc.id where sc.id = $1`,
    [id],
  );
  return schedule;
}

export async function getSchedule(db: Db, id: string): Promise<ScheduleRecord> {
  const schedule = await findSchedule(db, id);
  if (schedule === undefined) throw new Error(`There is no schedule ${id}.`);
  return schedule;
}

/** Every run a schedule has asked for, oldest first. */
export async function listRunsOfSchedule(db: Db, scheduleId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    "select id from operation_runs where schedule_id = $1 order by id",
    [scheduleId],
  );
  return rows.map(({ id }) => id);
}
