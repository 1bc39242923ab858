import type { Db } from "../../db/database.ts";

/**
 * Ends the transactions of workers that hold authority locks for longer than any of them may: their own bounds
 * end them within two and a half seconds on every PostgreSQL, unless the database could not tell them or their
 * host stopped. Whichever keys they hold: the change that waits may have escalated to a coarser one than it
 * knew of beforehand. Never another change of authority: those go by another name. Returns how many were ended.
 */
export async function endHungGates(db: Db): Promise<number> {
  const [row] = await db.query<{ ended: number }>(
    `with hung as (
       select a.pid from pg_stat_activity a
       where a.datname = current_database() and a.application_name = 'countersign gate'
         and a.usename = current_user and a.xact_start < clock_timestamp() - interval '3 seconds'
         and exists (
           select 1 from pg_locks l where l.pid = a.pid and l.locktype = 'advisory' and l.granted))
     select count(*) filter (where pg_terminate_backend(pid))::integer as ended from hung`,
  );
  return row?.ended ?? 0;
}
