import { v7 as uuidv7 } from "uuid";
import type { Db, Tx } from "../../db/database.ts";
import type { Actor } from "../audit/recordAudit.ts";
import { schedulesAt } from "../authority/contract.ts";
import { Invalid } from "../errors.ts";
import { contractOf, type OperationName } from "../operations/catalog.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import { getLockedTenant } from "../tenants/lockedTenant.ts";
import { type Cadence, nextTime, parseCadence } from "./cadence.ts";
import { requireOperation } from "./keptSchedule.ts";
import { recordSchedule } from "./recordSchedule.ts";
import { isForAllTenants, schedulableOperations, targetOf } from "./target.ts";

export type WantedSchedule = Cadence & {
  operation: OperationName;
  /** Null for an operation that is for all tenants of the workspace. */
  tenantId: string | null;
  /** The kinds of policy to work on, where the operation has a choice. */
  types: readonly string[];
};

/**
 * Makes a schedule, with whoever makes it as its steward. Returns its id. Throws `Invalid` for what cannot be
 * used, and `NotFound` or `Forbidden` for whoever may not change schedules at the tenant or not start the
 * operation there themselves.
 */
export async function createSchedule(
  db: Db,
  { actor, workspaceId, wanted }: { actor: Actor; workspaceId: string; wanted: WantedSchedule },
): Promise<string> {
  if (!schedulableOperations.includes(wanted.operation))
    throw new Invalid({ operation: "Choose an operation that may run on a schedule." });
  if (isForAllTenants(wanted.operation) !== (wanted.tenantId === null))
    throw new Invalid({ tenant: whichTenant(wanted) });
  const cadence = parseCadence(wanted);
  const target = targetOf(wanted.operation, wanted.types);
  const { operation, tenantId } = wanted;
  const schedule = { id: uuidv7(), workspaceId, tenantId, operation, target, ...cadence };
  await changeAuthority(
    db,
    [{ kind: "schedule", id: schedule.id }],
    async (tx) => {
      const acting = await actAs(tx, actor, { workspaceId, tenantId }, "schedule.manage");
      requireOperation(acting, wanted);
      if (tenantId !== null) await requireTenantWithSchedules(tx, workspaceId, tenantId);
      await insertSchedule(tx, schedule, actor);
      const { cron, timeZone } = cadence;
      await recordSchedule(tx, actor, "created", schedule, {
        before: null,
        after: { cron, timeZone, target },
      });
    },
    // The tenant's key too: one that is being archived gets no new schedules.
    {
      relyingOn: [
        ...authorityOf(actor, workspaceId),
        ...(tenantId === null ? [] : [{ kind: "tenant" as const, id: tenantId }]),
      ],
      takesNothingAway: true,
    },
  );
  return schedule.id;
}

function whichTenant({ operation }: WantedSchedule): string {
  const { title } = contractOf(operation);
  return isForAllTenants(operation)
    ? `“${title}” is for all tenants: choose all of them.`
    : `“${title}” is for one tenant: choose which.`;
}

async function requireTenantWithSchedules(tx: Tx, workspaceId: string, tenantId: string): Promise<void> {
  const { name, lifecycle } = await getLockedTenant(tx, workspaceId, tenantId);
  const rule = schedulesAt[lifecycle];
  if (rule === "none" || rule === "removed")
    throw new Invalid({ tenant: `${name} is ${lifecycle}; it can have schedules once it is active.` });
}

async function insertSchedule(
  tx: Tx,
  schedule: Cadence & {
    id: string;
    workspaceId: string;
    tenantId: string | null;
    operation: string;
    target: object;
  },
  actor: Actor,
): Promise<void> {
  const [clock] = await tx.query<{ now: Date }>(
    `insert into schedules (id, workspace_id, tenant_id, operation, target, cron, time_zone, steward_id,
       steward_name)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning clock_timestamp() as now`,
    [
      schedule.id,
      schedule.workspaceId,
      schedule.tenantId,
      schedule.operation,
      JSON.stringify(schedule.target),
      schedule.cron,
      schedule.timeZone,
      actor.id,
      actor.name,
    ],
  );
  await tx.query(
    "insert into schedule_states (schedule_id, next_run_at, created_by_name) values ($1, $2, $3)",
    [schedule.id, nextTime(schedule, clock?.now ?? new Date()), actor.name],
  );
}
