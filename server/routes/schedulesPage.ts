import { z } from "zod";
import type { Reader } from "../db/database.ts";
import type { Decision } from "../domain/authority/decide.ts";
import { mayAnywhere, tenantIdsOrNull, tenantScope, type Viewer } from "../domain/authority/viewer.ts";
import { listTenantNames } from "../domain/operations/attention.ts";
import { contractOf, isOperationName } from "../domain/operations/catalog.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import { titleOf } from "../domain/operations/runWords.ts";
import { cadenceWords } from "../domain/schedules/describeCadence.ts";
import {
  describeProspect,
  isRunning,
  lastBadge,
  scheduleBadge,
} from "../domain/schedules/describeSchedule.ts";
import type { ListedSchedule } from "../domain/schedules/listedSchedule.ts";
import {
  countSchedulesFor,
  listSchedulesFor,
  type ScheduleCounts,
  type ScheduleKind,
  scheduleKinds,
} from "../domain/schedules/listSchedulesFor.ts";
import { previewSchedules } from "../domain/schedules/previewSchedules.ts";
import { schedulableOperations } from "../domain/schedules/target.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { workspaceOf } from "./workspaceOf.ts";

/** What the list's address means. What it does not understand, it does without: an old bookmark still opens. */
const Query = z.object({
  kind: z.enum(scheduleKinds).catch("all"),
  operation: z.string().refine(isOperationName).nullable().catch(null),
  tenant: Id.nullable().catch(null),
  after: Id.nullable().catch(null),
});

export type SchedulesQuery = z.infer<typeof Query>;

export function parseSchedulesQuery(query: unknown): SchedulesQuery {
  return Query.parse(query);
}

type Card = {
  count: number;
  label: string;
  words: string;
  icon: string;
  tone: string;
  href: string;
  isCurrent: boolean;
};
type Option = { value: string; label: string; isSelected: boolean };

type ScheduleRow = {
  id: string;
  title: string;
  tenant: string;
  cadence: string;
  cron: string;
  timeZone: string;
  badge: Badge;
  steward: string;
  nextRunAt: Date | null;
  last: { id: string; badge: Badge; repeats: number } | null;
  needsSteward: boolean;
  /** Why its next run would be blocked as things stand; null when it would not, or has no next. */
  risk: string | null;
  /** False for an active one whose times have run out. */
  hasNext: boolean;
};

export type SchedulesPage = {
  workspaceName: string;
  mayManage: boolean;
  kind: ScheduleKind;
  cards: Card[];
  operations: Option[];
  tenants: Option[];
  rows: ScheduleRow[];
  pages: { newer: string | null; older: string | null };
  empty: { title: string; words: string; link: { href: string; label: string } | null } | null;
};

export async function readSchedulesPage(
  reader: Reader,
  viewer: Viewer,
  query: SchedulesQuery,
): Promise<SchedulesPage> {
  const { id: workspaceId, name: workspaceName } = workspaceOf(viewer);
  const tenantIds = tenantIdsOrNull(tenantScope(viewer, "schedule.view"));
  const operation = schedulableOperations.find((name) => name === query.operation) ?? null;
  const [counts, found, tenants] = await Promise.all([
    countSchedulesFor(reader, viewer),
    listSchedulesFor(reader, viewer, { ...query, operation, tenantId: query.tenant }),
    listTenantNames(reader, { workspaceId, tenantIds, ownerId: null }),
  ]);
  const decisions = await previewSchedules(reader, found.schedules);
  const mayManage = mayAnywhere(viewer, "schedule.manage");
  return {
    workspaceName,
    mayManage,
    kind: query.kind,
    cards: cardsFor(query, counts),
    operations: schedulableOperations.map((name) => option(name, contractOf(name).title, query.operation)),
    tenants: tenants.map(({ id, name }) => option(id, name, query.tenant)),
    rows: found.schedules.map((schedule) => toRow(schedule, decisions.get(schedule.id) ?? null)),
    pages: {
      newer: query.after === null ? null : addressOf({ ...query, after: null }),
      older: found.next === null ? null : addressOf({ ...query, after: found.next }),
    },
    empty: found.schedules.length > 0 ? null : emptyState(query, mayManage, tenants),
  };
}

function option(value: string, label: string, selected: string | null): Option {
  return { value, label, isSelected: value === selected };
}

function addressOf({ kind, ...rest }: SchedulesQuery): string {
  return withQuery(paths.schedules, { kind: kind === "all" ? null : kind, ...rest });
}

const looks = {
  attention: { label: "Need somebody", words: "a steward, or a look", icon: "warning", tone: "part" },
  steward: { label: "Without a steward", words: "they run on meanwhile", icon: "people", tone: "part" },
  paused: { label: "Paused", words: "by somebody", icon: "pause", tone: "wait" },
  active: { label: "Active", words: "unless their tenant is not", icon: "succeeded", tone: "ok" },
  all: { label: "Schedules", words: "you may see", icon: "queued", tone: "run" },
} as const satisfies Record<ScheduleKind, Pick<Card, "label" | "words" | "icon" | "tone">>;

function cardsFor(query: SchedulesQuery, counts: ScheduleCounts): Card[] {
  const kinds: readonly ScheduleKind[] = ["attention", "steward", "paused", "all"];
  return kinds.map((kind) => ({
    ...looks[kind],
    count: counts[kind],
    href: addressOf({ ...query, kind, after: null }),
    isCurrent: kind === query.kind,
  }));
}

function toRow(schedule: ListedSchedule, now: Decision | null): ScheduleRow {
  const { id, operation, tenantId, tenantName, cron, timeZone, stewardName, nextRunAt, last } = schedule;
  const badge = lastBadge(last);
  return {
    ...{ id, cron, timeZone },
    title: titleOf(operation),
    tenant: tenantName ?? (tenantId === null ? "All tenants" : "A tenant that is not here"),
    cadence: cadenceWords({ cron }),
    badge: scheduleBadge(schedule),
    steward: stewardName,
    nextRunAt: isRunning(schedule) ? nextRunAt : null,
    last: last === null || badge === null ? null : { id: last.id, badge, repeats: last.repeats },
    risk: isRunning(schedule) && now?.verdict === "denied" ? describeProspect(schedule, now).words : null,
    needsSteward: schedule.needs.includes("steward"),
    hasNext: !schedule.needs.includes("never"),
  };
}

function emptyState(
  query: SchedulesQuery,
  mayManage: boolean,
  tenants: readonly { id: string; name: string }[],
): SchedulesPage["empty"] {
  const all = { href: paths.schedules, label: "Show all schedules" };
  if (query.after !== null) return { title: "No more schedules", words: "", link: all };
  const named = [
    ...(query.kind === "all" ? [] : [looks[query.kind].label.toLowerCase()]),
    ...(query.operation === null ? [] : [titleOf(query.operation)]),
    ...(query.tenant === null
      ? []
      : [tenants.find(({ id }) => id === query.tenant)?.name ?? "a tenant that is not here"]),
  ];
  if (named.length > 0)
    return { title: "No schedules match", words: `The list is narrowed to: ${named.join(", ")}.`, link: all };
  return {
    title: "No schedules yet",
    words: "A schedule asks for syncs, backups or verifications by itself, at the times you choose.",
    link: mayManage ? { href: `${paths.schedules}/new`, label: "New schedule" } : null,
  };
}
