import type { Reader } from "../../db/database.ts";
import { contractOf, isOperationName } from "../operations/catalog.ts";
import { counted } from "../operations/runWords.ts";

/** The part of a role assignment that says what somebody may where. */
type Held = { role: { capabilities: readonly string[] }; tenantId: string | null; lapsed: boolean };

type Stewarded = { operation: string; tenantId: string | null };

/** Looked at in one go; nobody answers for more. */
const most = 1_000;

/**
 * How many schedules would need a new steward if a member's roles became these: those they answer for now and
 * could not make then. They run on all the same. Of the first 1,000; takes no locks.
 */
export async function countStewarded(
  reader: Reader,
  { workspaceId, userId }: { workspaceId: string; userId: string },
  before: readonly Held[],
  after: readonly Held[],
): Promise<number> {
  const schedules = await reader.query<Stewarded>(
    `select operation, tenant_id as "tenantId" from schedules
     where steward_id = $2 and workspace_id = $1 order by id limit $3`,
    [workspaceId, userId, most],
  );
  return schedules.filter((schedule) => couldMake(before, schedule) && !couldMake(after, schedule)).length;
}

/**
 * How many schedules would need a new steward if a role allowed these from now on, whoever holds it. Of the
 * first 1,000; takes no locks.
 */
export async function countStewardedThrough(
  reader: Reader,
  workspaceId: string,
  then: { id: string; capabilities: readonly string[] },
): Promise<number> {
  const schedules = await reader.query<Stewarded & { held: (Held & { role: { id: string } })[] }>(
    `select sc.operation, sc.tenant_id as "tenantId", (
       select jsonb_agg(jsonb_build_object('tenantId', a.tenant_id,
         'lapsed', coalesce(a.expires_at <= clock_timestamp(), false),
         'role', jsonb_build_object('id', r.id, 'capabilities', r.capabilities)))
       from role_assignments a join roles r on r.id = a.role_id
       where a.workspace_id = sc.workspace_id and a.user_id = sc.steward_id) as held
     from schedules sc
     where sc.workspace_id = $1
       and sc.steward_id in (select user_id from role_assignments where role_id = $2)
     order by sc.id limit $3`,
    [workspaceId, then.id, most],
  );
  return schedules.filter(({ held, ...schedule }) => {
    const after = held.map((one) => (one.role.id === then.id ? { ...one, role: then } : one));
    return couldMake(held, schedule) && !couldMake(after, schedule);
  }).length;
}

function couldMake(held: readonly Held[], { operation, tenantId }: Stewarded): boolean {
  const own = isOperationName(operation) ? [contractOf(operation).capability] : [];
  return ["schedule.manage", ...own].every((capability) =>
    held.some(
      (one) =>
        !one.lapsed &&
        (one.tenantId === null || one.tenantId === tenantId) &&
        one.role.capabilities.includes(capability),
    ),
  );
}

/** As a sentence for the page that asks for confirmation and the notice after it; empty for none. */
export function stewardWords(schedules: number): string {
  if (schedules === 0) return "";
  const one = schedules === 1;
  return `${counted(schedules, "schedule", "schedules")} will need a new steward; ${one ? "it goes" : "they go"} on running.`;
}
