import { v7 as uuidv7 } from "uuid";
import type { Db, Tx } from "../../db/database.ts";

/** Rows deleted in one transaction: few enough that nobody waits for it. */
const batchSize = 500;
const runBatchSize = 100;

/** Deletes a batch of notifications that were read before then. Returns how many. */
export function deleteReadNotifications(db: Db, before: Date): Promise<number> {
  return db.transaction((tx) =>
    countDeleted(
      tx,
      `delete from notifications where id in (
         select id from notifications where read_at < $1 order by read_at limit $2 for update skip locked)`,
      [before, batchSize],
    ),
  );
}

/** Deletes a batch of previews that nobody carried out, with their items, once they can be no more. */
export function deleteUnusedPlans(db: Db, before: Date): Promise<number> {
  return db.transaction((tx) =>
    countDeleted(
      tx,
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
    countDeleted(
      tx,
      `delete from bulk_selections where id in (
         select id from bulk_selections where run_id is null and created_at < $1
         order by created_at limit $2 for update skip locked)`,
      [before, runBatchSize],
    ),
  );
}

/** Where to go on: the oldest runs may be ones that stay. */
export type OldRuns = { deleted: number; last: string | null };

/**
 * Deletes a batch of runs that ended before then, with their decisions, effects and notifications, and the
 * preview or selection it carried out. A run that took a backup, made a preview that is kept, or is the last of a
 * schedule stays. The audit trail keeps its entries about all of them.
 */
export function deleteOldRuns(db: Db, before: Date, after: string | null): Promise<OldRuns> {
  return db.transaction(async (tx) => {
    const found = await listOldRuns(tx, before, after);
    const ids = found.filter(({ isNeeded }) => !isNeeded).map(({ id }) => id);
    await tx.query("delete from notifications where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from execution_decisions where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from effects where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from restore_plans where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from bulk_selections where run_id = any ($1::uuid[])", [ids]);
    await tx.query("delete from operation_runs where id = any ($1::uuid[])", [ids]);
    return { deleted: ids.length, last: found.length < runBatchSize ? null : (found.at(-1)?.id ?? null) };
  });
}

/** Ids are time-ordered: whatever ended before then was also asked for before then. */
function listOldRuns(
  tx: Tx,
  before: Date,
  after: string | null,
): Promise<{ id: string; isNeeded: boolean }[]> {
  const newest = uuidv7({ msecs: before.getTime(), random: new Uint8Array(16), seq: 0 });
  return tx.query(
    `select r.id, exists (select 1 from backup_sets b where b.id = r.id)
         or exists (select 1 from restore_plans p where p.id = r.id)
         or exists (select 1 from operation_runs p where p.id = r.parent_run_id and p.status <> 'completed')
         or exists (select 1 from schedule_states s where s.schedule_id = r.schedule_id and s.last_run_id = r.id)
         as "isNeeded"
     from operation_runs r
     where r.id < $1 and ($2::uuid is null or r.id > $2) and r.status = 'completed' and r.completed_at < $3
       and r.effects_unsettled = 0
     order by r.id limit $4 for update of r skip locked`,
    [newest, after, before, runBatchSize],
  );
}

async function countDeleted(tx: Tx, statement: string, values: readonly unknown[]): Promise<number> {
  const rows = await tx.query(`${statement} returning 1`, values);
  return rows.length;
}
