import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import type { CheckName } from "../domain/authority/decide.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { checkBadges, checkLabels } from "../domain/operations/describeDecision.ts";
import { type Badge, badgeOf } from "../domain/operations/runWords.ts";
import { nextTimes } from "../domain/schedules/cadence.ts";
import { cadenceWords } from "../domain/schedules/describeCadence.ts";
import {
  describeProspect,
  foundNone,
  isRunning,
  needsInWords,
  type Prospect,
  reachWords,
  scheduleBadge,
  scheduleName,
  targetWords,
} from "../domain/schedules/describeSchedule.ts";
import { findScheduleFor, listRunsOf, type ShownSchedule } from "../domain/schedules/findScheduleFor.ts";
import { previewSchedules } from "../domain/schedules/previewSchedules.ts";
import { isForAllTenants } from "../domain/schedules/target.ts";
import { listTenantsInReach } from "../domain/schedules/tenantsInReach.ts";
import { lackedBy } from "../domain/schedules/transferSchedules.ts";
import { paths, withQuery } from "../http/paths.ts";

export type SchedulePage = {
  schedule: ShownSchedule;
  address: string;
  name: string;
  badge: Badge;
  cadence: string;
  target: string | null;
  /** For one of all tenants: how many that would be now. */
  reach: string | null;
  needs: string[];
  pausedAt: Date | null;
  /** The next five times; none while it does not run. */
  next: Date[];
  prospect: Prospect & { checks: { label: string; value: string; badge: Badge }[] };
  actions: ScheduleActions;
  runs: { rows: RunRow[]; older: string | null; newest: string | null } | null;
  opensTenant: boolean;
};

type RunRow = { id: string; badge: Badge; repeats: number; requestedAt: Date; took: number | null };

/** What the viewer can do; \`why\` says what they lack for the rest. */
export type ScheduleActions = {
  mayChange: boolean;
  mayRun: boolean;
  isSteward: boolean;
  why: string | null;
};

/** Undefined when the viewer may not see it. `before` is where an older page of its runs begins. */
export async function readSchedulePage(
  reader: Reader,
  viewer: Viewer,
  id: string,
  before: string | null,
): Promise<SchedulePage | undefined> {
  const schedule = await findScheduleFor(reader, viewer, id);
  if (schedule === undefined) return undefined;
  const decision = (await previewSchedules(reader, [schedule])).get(id) ?? null;
  const reach = isForAllTenants(schedule.operation)
    ? await listTenantsInReach(reader, schedule.workspaceId)
    : null;
  return {
    schedule,
    address: paths.schedule(id),
    name: scheduleName(schedule),
    badge: scheduleBadge(schedule),
    cadence: cadenceWords(schedule),
    target: targetWords(schedule),
    reach: reach === null ? null : reachWords(reach),
    needs: needsInWords(schedule),
    pausedAt: schedule.paused === null ? null : new Date(schedule.paused.at),
    next: isRunning(schedule) ? followingTimes(schedule) : [],
    prospect: {
      ...(reach?.tenantIds.length === 0 ? foundNone : describeProspect(schedule, decision)),
      checks: decision === null ? [] : checksIn(decision.checks),
    },
    actions: actionsFor(viewer, schedule),
    runs: may(viewer, "operations.view", schedule.tenantId) ? await readRuns(reader, id, before) : null,
    opensTenant: schedule.tenantId !== null && may(viewer, "tenant.view", schedule.tenantId),
  };
}

/** The one that is kept, which may have come already, and those after it. */
function followingTimes(schedule: ShownSchedule): Date[] {
  const { nextRunAt } = schedule;
  return nextRunAt === null ? [] : [nextRunAt, ...nextTimes(schedule, nextRunAt, 4)];
}

function checksIn(checks: Record<CheckName, { result: keyof typeof checkBadges; value: string }>) {
  const names: readonly CheckName[] = [
    "workspace_scope",
    "tenant_scope",
    "capability",
    "tenant_operability",
    "provider_connection",
    "execution_prerequisites",
  ];
  return names.map((name) => ({
    label: checkLabels[name],
    value: checks[name].value,
    badge: checkBadges[checks[name].result],
  }));
}

function actionsFor(viewer: Viewer, schedule: ShownSchedule): ScheduleActions {
  const mayChange = may(viewer, "schedule.manage", schedule.tenantId);
  const missing = lackedBy(viewer, schedule);
  return {
    mayChange,
    mayRun: missing === undefined,
    isSteward: schedule.stewardId === viewer.user.id,
    why: missing === undefined ? null : `You need ${missing} to ${capabilities[missing]}.`,
  };
}

async function readRuns(reader: Reader, id: string, before: string | null): Promise<SchedulePage["runs"]> {
  const { runs, older } = await listRunsOf(reader, id, before);
  return {
    rows: runs.map((run) => ({
      id: run.id,
      badge: badgeOf(run),
      repeats: run.repeats,
      requestedAt: run.requestedAt,
      took: run.completedAt === null ? null : run.completedAt.getTime() - run.requestedAt.getTime(),
    })),
    older: older === null ? null : withQuery(paths.schedule(id), { before: older }),
    newest: before === null ? null : paths.schedule(id),
  };
}
