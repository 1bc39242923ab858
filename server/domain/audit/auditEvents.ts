import type { Reader } from "../../db/database.ts";
import { tenantIdsOrNull, tenantScope, type Viewer } from "../authority/viewer.ts";
import { capitalised, titleOf } from "../operations/runWords.ts";
import { describeAction } from "./describeAction.ts";

type Row = {
  id: string;
  at: Date;
  actorName: string | null;
  action: string;
  subjectType: string;
  subjectId: string | null;
  subjectName: string | null;
  tenantName: string | null;
  outcome: "done" | "allowed" | "denied" | "failed";
  details: Record<string, unknown>;
};

export type ShownEvent = Omit<Row, "details"> & {
  words: string;
  actor: string;
  about: string;
  details: { name: string; value: string }[];
};

export type AuditPage = { events: ShownEvent[]; newer: string | null; older: string | null };

/** `before` leads to older entries and `after` to newer ones. */
export type AuditCursor = { before: string } | { after: string } | null;

/** Which entries: of a sync alone there are dozens, and they bury what people did. */
export const auditKinds = ["all", "without_runs", "denied"] as const;
export type AuditKind = (typeof auditKinds)[number];

/** As the partial indexes say it. */
const ofKind = {
  all: "true",
  without_runs: "e.action not like 'run.%'",
  denied: "e.outcome = 'denied'",
} as const satisfies Record<AuditKind, string>;

const perPage = 50;

const columns = `e.id, e.at, e.actor_name as "actorName", e.action, e.subject_type as "subjectType",
  e.subject_id as "subjectId", coalesce(su.name, st.name) as "subjectName", p.name as "tenantName",
  e.outcome, e.details`;

// The cast happens only for subjects that are people or tenants, whose ids are UUIDs.
const joins = `left join tenant_profiles p on p.tenant_id = e.tenant_id
  left join user_profiles su
    on su.user_id = case when e.subject_type = 'user' then e.subject_id::uuid end
  left join tenant_profiles st
    on st.tenant_id = case when e.subject_type = 'tenant' then e.subject_id::uuid end`;

// What concerns no tenant is the workspace's: for those whose role covers all tenants.
const inScope = `e.workspace_id = $1 and ($2::uuid[] is null or e.tenant_id = any ($2))`;

function scopeOf(viewer: Viewer): unknown[] {
  return [viewer.workspace?.id ?? null, tenantIdsOrNull(tenantScope(viewer, "audit.view"))];
}

/** One page of the trail the viewer may see in the present workspace, newest first. */
export async function listAuditEvents(
  reader: Reader,
  viewer: Viewer,
  kind: AuditKind,
  cursor: AuditCursor,
): Promise<AuditPage> {
  const ascending = cursor !== null && "after" in cursor;
  const rows = await reader.query<Row>(
    `select ${columns} from audit_events e ${joins}
     where ${inScope} and ${ofKind[kind]} and ($3::uuid is null or e.id < $3) and ($4::uuid is null or e.id > $4)
     order by e.id ${ascending ? "asc" : "desc"} limit $5`,
    [
      ...scopeOf(viewer),
      cursor !== null && "before" in cursor ? cursor.before : null,
      ascending ? cursor.after : null,
      perPage + 1,
    ],
  );
  const more = rows.length > perPage;
  const page = rows.slice(0, perPage);
  const events = (ascending ? page.reverse() : page).map(describe);
  const hasNewer = ascending ? more : cursor !== null;
  return {
    events,
    newer: hasNewer ? (events[0]?.id ?? null) : null,
    older: ascending || more ? (events.at(-1)?.id ?? null) : null,
  };
}

export async function findAuditEvent(
  reader: Reader,
  viewer: Viewer,
  eventId: string,
): Promise<ShownEvent | undefined> {
  const [row] = await reader.query<Row>(
    `select ${columns} from audit_events e ${joins} where ${inScope} and e.id = $3`,
    [...scopeOf(viewer), eventId],
  );
  return row === undefined ? undefined : describe(row);
}

function describe(row: Row): ShownEvent {
  return {
    ...row,
    words: describeAction(row.action),
    actor: row.actorName ?? "System",
    about: row.subjectName ?? aboutOf(row),
    details: Object.entries({ ...inOrder(row.details), ...row.details }).map(([name, value]) => ({
      name: nameInWords(name),
      value: spell(value),
    })),
  };
}

/** Stored details have no order of their own; what was before reads first. */
function inOrder(details: Row["details"]): Row["details"] {
  return "before" in details ? { before: details.before, after: details.after } : {};
}

function aboutOf({ subjectType, details }: Row): string {
  if (subjectType === "run" && typeof details.operation === "string") return titleOf(details.operation);
  if (subjectType === "role" && typeof details.role === "string") return details.role;
  return capitalised(subjectType);
}

/** Details are kept as data; a reader gets a line for each part of them, and no braces. */
function spell(value: unknown): string {
  if (typeof value !== "object" || value === null) return inLine(value);
  const lines = Array.isArray(value)
    ? value.map(inLine)
    : Object.entries(value).map(([name, part]) => `${nameInWords(name)}: ${inLine(part)}`);
  return lines.length === 0 ? "none" : lines.join("\n");
}

function inLine(value: unknown): string {
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(inLine).join(", ");
  const parts = Object.entries(value).filter(([, part]) => part !== null);
  return parts.map(([name, part]) => `${nameInWords(name)}: ${inLine(part)}`).join(", ");
}

/** "tenantName" as "tenant name". */
function nameInWords(name: string): string {
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
