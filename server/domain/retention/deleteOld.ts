import { v7 as uuidv7 } from "uuid";
import type { Db, Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";

/** Rows deleted in one transaction: few enough that nobody waits for it. */
const batchSize = 500;
const runBatchSize = 100;
/** Runs that are looked at for one batch to delete. */
const lookedAtOnce = 2_000;

/** Deletes a batch of notifications that were read before then. Returns how many. */
export function deleteReadNotifications(db: Db, before: Date): Promise<number> {
  return db.transaction((tx) =>
    deleteAudited(
      tx,
      "notifications",
      `delete from notifications where id in (
         select id from notifications where read_at < $1 order by read_at limit $2 for update skip locked)`,
      [before, batchSize],
    ),
  );
}

/** Deletes a batch of previews that nobody carried out, with their items, once they can be no more. */
export function deleteUnusedPlans(db: Db, before: Date): Promise<number> {
  return db.transaction((tx) =>
    deleteAudited(
      tx,
      "previews",
      `delete from restore_plans where id in (
         select p.id from restore_plans p join operation_runs r on r.id = p.id
         where p.run_id is null and p.created_at < $1 and r.status = 'completed'
         order by p.created_at limit $2)`,
      [before, runBatchSize],
    ),
  );
}

/** Deletes a batch of selections of policies that nobody confirmed. Returns how many. */
export function deleteUnusedSelections(db: Db, before: Date): Promise<number> {
  return db.transaction((tx) =>
    deleteAudited(
      tx,
      "selections",
      `delete from bulk_selections where id in (
         select id from bulk_selections where run_id is null and created_at < $1
         order by created_at limit $2 for update skip locked)`,
      [before, runBatchSize],
    ),
  );
}

/**
 * Deletes a batch of what is known of worker processes that stopped, or were given up, before then. Like their
 * signs of life, no event of the audit trail's.
 */
export async function deleteEndedPools(db: Db, before: Date): Promise<number> {
  const rows = await db.query(
    `delete from worker_pools where pool_id in (
       select pool_id from worker_pools where coalesce(stopped_at, lost_at) < $1 limit $2 for update skip locked)
     returning 1`,
    [before, batchSize],
  );
  return rows.length;
}

/** Where to go on; null at the end. */
export type OldRuns = { deleted: number; last: string | null };

/**
 * Deletes a batch of runs that ended before then, with their decisions, effects and notifications, and the
 * preview or selection it carried out. A run that took a backup, made a preview that is kept, or is the last of a
 * schedule stays. The audit trail keeps its entries about all of them.
 */
export function deleteOldRuns(db: Db, before: Date, after: string | null): Promise<OldRuns> {
  return db.transaction(async (tx) => {
    const found = await findOldRuns(tx, before, after);
    const ids = await lockRuns(tx, found.ids);
    await tx.query("delete from notifications where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from execution_decisions where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from effects where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from restore_plans where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from bulk_selections where run_id = any ($1::uuid[])", [ids]);
    await deleteRuns(tx, ids, before);
    return { deleted: ids.length, last: found.last };
  });
}

/**
 * Runs nobody needs, and how far was looked: far at a time, or the many that stay at the old end would keep those
 * behind them from being reached. Ids are time-ordered: whatever ended before then was also asked for before then.
 */
async function findOldRuns(
  tx: Tx,
  before: Date,
  after: string | null,
): Promise<{ ids: string[]; last: string | null }> {
  const newest = uuidv7({ msecs: before.getTime(), random: new Uint8Array(16), seq: 0 });
  const [found] = await tx.query<{ ids: string[]; looked: string[] }>(
    `with looked as materialized (
       select id, status, completed_at, effects_unsettled, schedule_id, parent_run_id from operation_runs
       where id < $1 and ($2::uuid is null or id > $2) order by id limit $4
     ), unneeded as (
       select l.id from looked l
       where l.status = 'completed' and l.completed_at < $3 and l.effects_unsettled = 0
         and not exists (select 1 from backup_sets b where b.id = l.id)
         and not exists (select 1 from restore_plans p where p.id = l.id)
         and not exists (
           select 1 from operation_runs p where p.id = l.parent_run_id and p.status <> 'completed')
         and not exists (
           select 1 from schedule_states s where s.schedule_id = l.schedule_id and s.last_run_id = l.id)
       order by l.id limit $5
     )
     select array(select id from unneeded) as ids, array(select id from looked) as looked`,
    [newest, after, before, lookedAtOnce, runBatchSize],
  );
  const { ids = [], looked = [] } = found ?? {};
  const isThrough = ids.length < runBatchSize && looked.length < lookedAtOnce;
  return { ids, last: isThrough ? null : ((ids.length < runBatchSize ? looked : ids).at(-1) ?? null) };
}

/** Without those that somebody is about to change: they wait for the next time. */
async function lockRuns(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    "select id from operation_runs where id = any ($1::uuid[]) order by id for update skip locked",
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** What a workspace's history lost, its audit trail says. */
async function deleteRuns(tx: Tx, ids: readonly string[], before: Date): Promise<void> {
  const deleted = await tx.query<{ workspaceId: string; runs: number }>(
    `with deleted as (delete from operation_runs where id = any ($1::uuid[]) returning workspace_id)
     select workspace_id as "workspaceId", count(*)::integer as runs from deleted group by workspace_id`,
    [ids],
  );
  await recordAudit(
    tx,
    ...deleted.map(({ workspaceId, runs }) => ({
      workspaceId,
      tenantId: null,
      actor: null,
      action: "retention.runs_deleted",
      subject: { type: "workspace" as const, id: workspaceId },
      outcome: "done" as const,
      details: { runs, endedBefore: before },
    })),
  );
}

async function deleteAudited(
  tx: Tx,
  what: "notifications" | "previews" | "selections",
  statement: string,
  values: readonly [before: Date, most: number],
): Promise<number> {
  const { length: deleted } = await tx.query(`${statement} returning 1`, values);
  if (deleted > 0)
    await recordAudit(tx, {
      workspaceId: null,
      tenantId: null,
      actor: null,
      action: `retention.${what}_deleted`,
      subject: { type: "installation", id: null },
      outcome: "done",
      details: { deleted, before: values[0] },
    });
  return deleted;
}
