import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { may, tenantIdsOrNull, tenantScope, type Viewer } from "../domain/authority/viewer.ts";
import { Invalid } from "../domain/errors.ts";
import { listTenantNames } from "../domain/operations/attention.ts";
import { contractOf, isOperationName } from "../domain/operations/catalog.ts";
import { nextTimes, parseCadence, shortestInterval } from "../domain/schedules/cadence.ts";
import type { WantedSchedule } from "../domain/schedules/createSchedule.ts";
import { cadenceWords } from "../domain/schedules/describeCadence.ts";
import { scheduleName } from "../domain/schedules/describeSchedule.ts";
import type { ShownSchedule } from "../domain/schedules/findScheduleFor.ts";
import { hasTypes, schedulableOperations, typesIn } from "../domain/schedules/target.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import { policyTypes, typeLabels } from "../provider/policyTypes.ts";
import type { Problems } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

const Types = z.preprocess((sent) => (sent === undefined ? [] : [sent].flat()), z.array(z.string()));

/** What the form sends; anything can be missing, so that it can be shown again with what is there. */
const Form = z.object({
  operation: z.string().default(""),
  tenant: z.string().default(""),
  cron: z.string().default(""),
  time_zone: z.string().default(""),
  types: Types,
  /** The button that was pressed. */
  intent: z.enum(["save", "look"]).catch("save"),
});

export type SentSchedule = z.infer<typeof Form>;

export function parseScheduleForm(body: unknown): SentSchedule {
  return Form.parse(body ?? {});
}

/** What a new schedule starts from: every night, everything, in the viewer's zone. */
export function blankForm(viewer: Viewer, tenant: string): SentSchedule {
  const time_zone = viewer.user.timeZone ?? "UTC";
  return {
    operation: "backup.create",
    tenant,
    cron: "30 2 * * *",
    time_zone,
    types: [...policyTypes],
    intent: "save",
  };
}

export function formOf(schedule: ShownSchedule): SentSchedule {
  const { operation, tenantId, cron, timeZone, target } = schedule;
  const tenant = tenantId ?? "";
  return { operation, tenant, cron, time_zone: timeZone, types: typesIn(target), intent: "save" };
}

/** Stands for all tenants of the workspace where a tenant is chosen. */
const allTenants = "all";

/** Throws `Invalid` when no operation or tenant was chosen. */
export function wantedFrom(sent: SentSchedule): WantedSchedule {
  const { operation, types, cron, time_zone: timeZone } = sent;
  const tenant = Id.safeParse(sent.tenant);
  if (!isOperationName(operation)) throw new Invalid({ operation: "Choose what to do." });
  if (sent.tenant !== allTenants && !tenant.success) throw new Invalid({ tenant: "Choose a tenant." });
  return { operation, tenantId: tenant.data ?? null, types, cron, timeZone };
}

type Option = { value: string; label: string; isSelected: boolean };

export type ScheduleFormPage = {
  title: string;
  /** Where the form goes, and where leaving it leads. */
  action: string;
  back: { href: string; label: string };
  /** Null when what and where are settled: an edited schedule keeps them. */
  choices: { operations: Option[]; tenants: Option[] } | null;
  types: Option[] | null;
  cron: string;
  timeZone: string;
  timeZones: readonly string[];
  shortestInterval: number;
  next: { words: string; times: Date[] } | null;
  problems: Problems;
};

/** The form for a new schedule (`schedule` null) or an existing one, with what it holds and what is wrong. */
export async function readScheduleForm(
  reader: Reader,
  viewer: Viewer,
  schedule: ShownSchedule | null,
  sent: SentSchedule,
  problems: Problems,
): Promise<ScheduleFormPage> {
  const looked = lookAhead(sent);
  const address = schedule === null ? null : paths.schedule(schedule.id);
  return {
    title: schedule === null ? "New schedule" : `Edit: ${scheduleName(schedule)}`,
    action: address === null ? paths.schedules : `${address}/edit`,
    back: {
      href: address ?? paths.schedules,
      label: schedule === null ? "Schedules" : scheduleName(schedule),
    },
    choices: schedule === null ? await readChoices(reader, viewer, sent) : null,
    types: schedule !== null && !hasTypes(schedule.operation) ? null : typeOptions(sent.types),
    cron: sent.cron,
    timeZone: sent.time_zone,
    timeZones: ["UTC", ...Intl.supportedValuesOf("timeZone")],
    shortestInterval,
    next: looked.next,
    problems: { ...(sent.intent === "look" ? looked.problems : {}), ...problems },
  };
}

/** When it would run; what is wrong with it otherwise. */
function lookAhead({ cron, time_zone }: SentSchedule): Pick<ScheduleFormPage, "next" | "problems"> {
  try {
    const cadence = parseCadence({ cron, timeZone: time_zone });
    return { next: { words: cadenceWords(cadence), times: nextTimes(cadence, new Date(), 5) }, problems: {} };
  } catch (error) {
    if (error instanceof Invalid) return { next: null, problems: error.fields };
    throw error;
  }
}

const allWords = `All tenants (for “${contractOf("tenants.bulk_sync").title}”)`;

async function readChoices(reader: Reader, viewer: Viewer, sent: SentSchedule) {
  const tenantIds = tenantIdsOrNull(tenantScope(viewer, "schedule.manage"));
  const tenants = await listTenantNames(reader, {
    workspaceId: workspaceOf(viewer).id,
    tenantIds,
    ownerId: null,
  });
  return {
    operations: schedulableOperations.map((name) => ({
      value: name,
      label: contractOf(name).title,
      isSelected: name === sent.operation,
    })),
    tenants: [
      ...(may(viewer, "schedule.manage", null) ? [{ id: allTenants, name: allWords }] : []),
      ...tenants,
    ].map(({ id, name }) => ({ value: id, label: name, isSelected: id === sent.tenant })),
  };
}

function typeOptions(chosen: readonly string[]): Option[] {
  return policyTypes.map((type) => ({
    value: type,
    label: typeLabels[type],
    isSelected: chosen.includes(type),
  }));
}
