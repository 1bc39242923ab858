import type { Tx } from "../../db/database.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { Actor } from "../audit/recordAudit.ts";
import { inWorkspace, isEntitled, loadViewer, may, type Viewer } from "../authority/viewer.ts";
import { Forbidden, NotFound } from "../errors.ts";
import { contractOf, isOperationName } from "../operations/catalog.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import type { AuthoritySubject } from "../revocation/changeAuthority.ts";
import type { Cadence } from "./cadence.ts";

/** A schedule as those who change it need it; pages have a read model of their own. */
export type KeptSchedule = Cadence & {
  id: string;
  workspaceId: string;
  tenantId: string | null;
  tenantName: string | null;
  operation: string;
  target: JsonObject;
  stewardId: string;
  stewardName: string;
  status: "active" | "paused";
};

/** Somebody who changes a schedule of the workspace. */
export type ScheduleRequest = { actor: Actor; workspaceId: string; scheduleId: string };

/** The schedule as it is now, for a transaction that holds its authority key. Throws `NotFound`. */
async function getSchedule(tx: Tx, workspaceId: string, id: string): Promise<KeptSchedule> {
  const [schedule] = await tx.query<KeptSchedule>(
    `select sc.id, sc.workspace_id as "workspaceId", sc.tenant_id as "tenantId", p.name as "tenantName",
       sc.operation, sc.target, sc.cron, sc.time_zone as "timeZone", sc.steward_id as "stewardId",
       sc.steward_name as "stewardName", sc.status
     from schedules sc left join tenant_profiles p on p.tenant_id = sc.tenant_id
     where sc.id = $2 and sc.workspace_id = $1`,
    [workspaceId, id],
  );
  if (schedule === undefined) throw new NotFound();
  return schedule;
}

/** The keys to hold shared while a schedule is changed: whoever acts must still have the right at commit. */
export function relyingOn({ actor, workspaceId }: ScheduleRequest): { relyingOn: AuthoritySubject[] } {
  return { relyingOn: authorityOf(actor, workspaceId) };
}

/**
 * The schedule, for somebody who may change it. Throws `NotFound` where they see nothing, `Forbidden` without
 * `schedule.manage` at its target.
 */
export async function getManaged(
  tx: Tx,
  { actor, workspaceId, scheduleId }: ScheduleRequest,
): Promise<{ schedule: KeptSchedule; acting: Viewer }> {
  const schedule = await getSchedule(tx, workspaceId, scheduleId);
  if (schedule.tenantId === null) await requireAllTenants(tx, actor, workspaceId);
  const acting = await actAs(tx, actor, { workspaceId, tenantId: schedule.tenantId }, "schedule.manage");
  return { schedule, acting };
}

/** What is for all tenants does not exist for whoever's role does not cover them: not even a right is missing. */
async function requireAllTenants(tx: Tx, actor: Actor, workspaceId: string): Promise<void> {
  const viewer = await loadViewer(tx, actor.id, workspaceId);
  const acting = viewer === undefined ? undefined : inWorkspace(viewer, workspaceId);
  if (acting === undefined || !isEntitled(acting, null)) throw new NotFound();
}

/** As `getManaged`, for what sets it going: that asks for the operation's own capability as well. */
export async function getRunnable(tx: Tx, request: ScheduleRequest): Promise<KeptSchedule> {
  const { schedule, acting } = await getManaged(tx, request);
  requireOperation(acting, schedule);
  return schedule;
}

/** Or else a schedule would be a way around one's rights. Throws `Forbidden`. */
export function requireOperation(
  acting: Viewer,
  { operation, tenantId }: Pick<KeptSchedule, "operation" | "tenantId">,
): void {
  if (!isOperationName(operation)) throw new NotFound();
  const { capability } = contractOf(operation);
  if (!may(acting, capability, tenantId)) throw new Forbidden(capability);
}
