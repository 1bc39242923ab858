import { type ParsedCronItem, parseCronItems, type Task, type TaskList } from "graphile-worker";
import type { WorkerConfig } from "../../server/config.ts";
import type { WorkerDeps } from "../deps.ts";
import { retention } from "./retention.ts";
import { scheduleTick } from "./scheduleTick.ts";

/** What the queue does besides operations, and when (UTC). None of it touches a tenant. */
const timetable = {
  schedule_tick: "* * * * *",
  retention: "17 * * * *",
} as const;

export type MaintenanceName = keyof typeof timetable;

type MaintenanceConfig = Pick<
  WorkerConfig,
  "REQUEST_EXPIRY_HOURS" | "RETENTION_NOTIFICATION_DAYS" | "RETENTION_RUN_DAYS" | "RETENTION_BACKUP_DAYS"
>;

export function makeMaintenanceTasks(deps: WorkerDeps, config: MaintenanceConfig): TaskList {
  const tasks = {
    schedule_tick: async (_payload, { abortSignal }) => {
      await scheduleTick(deps, {
        expiresInHours: config.REQUEST_EXPIRY_HOURS,
        ...(abortSignal && { signal: abortSignal }),
      });
    },
    retention: async (_payload, { abortSignal }) => {
      await retention(deps, {
        days: {
          notifications: config.RETENTION_NOTIFICATION_DAYS,
          runs: config.RETENTION_RUN_DAYS,
          backups: config.RETENTION_BACKUP_DAYS,
        },
        expiresInHours: config.REQUEST_EXPIRY_HOURS,
        ...(abortSignal && { signal: abortSignal }),
      });
    },
  } satisfies Record<MaintenanceName, Task>;
  return tasks;
}

/** Before any run, since runs come of it; a tick that waited for a worker stands for those it missed. */
export const crontab: ParsedCronItem[] = parseCronItems(
  Object.entries(timetable).map(([task, match]) => ({
    task,
    match,
    options: { backfillPeriod: 0, maxAttempts: 1, jobKey: `maintenance:${task}`, priority: -1_000 },
  })),
);
