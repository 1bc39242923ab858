import type { Db } from "../../db/database.ts";
import type { AuthoritySubject } from "./changeAuthority.ts";

/**
 * Ends the transactions of workers that hold these keys for longer than any of them may (their own time-outs
 * end them within a second, unless the database could not tell them or their host stopped). Never another
 * change of authority: those go by another name. Returns how many were ended.
 */
export async function endHungGates(
  db: Db,
  { subjects, relyingOn }: Record<"subjects" | "relyingOn", readonly AuthoritySubject[]>,
): Promise<number> {
  const [row] = await db.query<{ ended: number }>(
    `with wanted as (
       select authority_key(kind, id) as key from jsonb_to_recordset($1::jsonb) as s (kind text, id uuid)),
     hung as (
       select distinct a.pid
       from pg_locks l
       join pg_stat_activity a on a.pid = l.pid
       where l.locktype = 'advisory' and l.granted and l.objsubid = 1
         and l.database = (select oid from pg_database where datname = current_database())
         and ((l.classid::bigint << 32) | l.objid::bigint) in (select key from wanted)
         and a.application_name = 'countersign gate' and a.usename = current_user
         and a.xact_start < clock_timestamp() - interval '2 seconds')
     select count(*) filter (where pg_terminate_backend(pid))::integer as ended from hung`,
    [JSON.stringify([...subjects, ...relyingOn])],
  );
  return row?.ended ?? 0;
}
