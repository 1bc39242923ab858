import { type Db, type Reader, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import type { JsonObject } from "../../provider/port.ts";
import { isOperationName } from "../operations/catalog.ts";
import { requestRunIn } from "../operations/requestRun.ts";
import { type Cadence, nextTime } from "./cadence.ts";
import { isForAllTenants } from "./target.ts";
import { listTenantsInReach } from "./tenantsInReach.ts";

/** A schedule whose time has come. */
export type DueSchedule = { id: string; dueAt: Date };

/**
 * What became of it. `asked`: a run was requested, if only to be blocked; `skipped`: its run before has not
 * ended; `nowhere`: of all tenants there is none it could be done at; `paused`, `unknown` (to this release):
 * nothing to ask for; `elsewhere`: another worker has it.
 */
export type Asked = "asked" | "skipped" | "nowhere" | "paused" | "unknown" | "elsewhere";

/** Those due at a moment, the longest first; `after` is the last one of the page before. */
export function listDue(
  reader: Reader,
  now: Date,
  after: DueSchedule | null,
  limit: number,
): Promise<DueSchedule[]> {
  return reader.query<DueSchedule>(
    `select schedule_id as id, next_run_at as "dueAt" from schedule_states
     where next_run_at <= $1
       and (next_run_at, schedule_id) > (coalesce($2::timestamptz, '-infinity'), coalesce($3::uuid, $5))
     order by next_run_at, schedule_id limit $4`,
    [now, after?.dueAt ?? null, after?.id ?? null, limit, noId],
  );
}

const noId = "00000000-0000-0000-0000-000000000000";

/**
 * Asks for the run of a schedule whose time has come, and sets its next time, in one transaction: of any
 * number of workers one does it, once. However much time was missed, it asks once and goes on from now.
 */
export async function askDue(
  db: Db,
  scheduleId: string,
  { now, expiresInHours }: { now: Date; expiresInHours: number },
): Promise<Asked> {
  return retrying(() =>
    db.transaction(async (tx) => {
      await shareKeys(tx, scheduleId);
      const due = await claim(tx, scheduleId, now);
      if (due === undefined) return "elsewhere";
      const next = nextTime(due, now);
      const { operation } = due;
      if (due.status === "paused") return passBy(tx, scheduleId, next, "paused");
      if (!isOperationName(operation)) return passBy(tx, scheduleId, next, "unknown");
      if (due.hasOpenRun) return passBy(tx, scheduleId, next, "skipped");
      const target = await targetNow(tx, due);
      if (target === null) return passBy(tx, scheduleId, next, "nowhere");
      const answer = await requestRunIn(tx, {
        operation,
        workspaceId: due.workspaceId,
        tenantId: due.tenantId,
        initiator: null,
        trigger: "schedule",
        requestKey: null,
        expiresInHours,
        target,
        scheduleId,
      });
      if (answer.kind !== "stored") throw new Error("A schedule's request was refused without a run.");
      await noteAsked(tx, scheduleId, next, answer);
      return "asked";
    }, workerBounds),
  );
}

/** Before any row is locked: whoever pauses, deletes or archives waits for us or beats us (handbook 2). */
async function shareKeys(tx: Tx, scheduleId: string): Promise<void> {
  await tx.query(
    `select authority_share(array[authority_installation_key(), authority_key('workspace', sc.workspace_id),
       authority_key('tenant', sc.tenant_id), authority_key('connection', c.id),
       authority_key('schedule', sc.id)])
     from schedules sc left join provider_connections c on c.tenant_id = sc.tenant_id where sc.id = $1`,
    [scheduleId],
  );
}

type Claimed = Cadence & {
  workspaceId: string;
  tenantId: string | null;
  operation: string;
  target: JsonObject;
  status: "active" | "paused";
  hasOpenRun: boolean;
};

/** In a statement after the locks, so that it sees the schedule as they found it. */
async function claim(tx: Tx, scheduleId: string, now: Date): Promise<Claimed | undefined> {
  const [claimed] = await tx.query<Claimed>(
    `select sc.workspace_id as "workspaceId", sc.tenant_id as "tenantId", sc.operation, sc.target, sc.cron,
       sc.time_zone as "timeZone", sc.status,
       exists (select 1 from operation_runs r where r.schedule_id = sc.id and r.status <> 'completed')
         as "hasOpenRun"
     from schedule_states s join schedules sc on sc.id = s.schedule_id
     where s.schedule_id = $1 and s.next_run_at <= $2
     for update of s skip locked`,
    [scheduleId, now],
  );
  return claimed;
}

/** What a run asked for now works on; null when that is all tenants, and there is none to do it at. */
async function targetNow(tx: Tx, { operation, workspaceId, target }: Claimed): Promise<JsonObject | null> {
  if (!isForAllTenants(operation)) return target;
  const { tenantIds, leftOut } = await listTenantsInReach(tx, workspaceId);
  return tenantIds.length === 0 ? null : { ...target, tenantIds, leftOut };
}

async function passBy<A extends Asked>(tx: Tx, scheduleId: string, next: Date | null, why: A): Promise<A> {
  await tx.query(
    `update schedule_states set next_run_at = $2, skipped = skipped + $3, found_none = found_none + $4
     where schedule_id = $1`,
    [scheduleId, next, why === "skipped" ? 1 : 0, why === "nowhere" ? 1 : 0],
  );
  return why;
}

async function noteAsked(
  tx: Tx,
  scheduleId: string,
  next: Date | null,
  { runId, blocked }: { runId: string; blocked: boolean },
): Promise<void> {
  await tx.query(
    `update schedule_states set next_run_at = $2, last_run_id = $3, last_asked_at = clock_timestamp(),
       last_outcome = $4, skipped = 0, found_none = 0 where schedule_id = $1`,
    [scheduleId, next, runId, blocked ? "blocked" : null],
  );
}
