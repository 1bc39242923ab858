import type { Db, Tx } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";

/** What an authority key is of. The installation's own key is for changes too large for any other. */
export type AuthoritySubject = { kind: "workspace" | "user" | "tenant" | "connection"; id: string };

/**
 * Runs a change of authority: takes the exclusive locks of all subjects up front, in order, before any row
 * lock; then `work`, then commits. Runs that hold these keys shared finish their effect first; whatever
 * begins after this returns sees the change. Retries when it loses a deadlock or waits too long (handbook 2,
 * "Exclusive side", "Bounds"). The triggers on the authority tables are what makes other ways of changing
 * them safe too; this only orders the locks well. `relyingOn` is taken shared, in the same order: what the
 * actor's own right to do this rests on, and the installation's key, to which a very large change escalates.
 */
export async function changeAuthority<T>(
  db: Db,
  subjects: readonly AuthoritySubject[],
  work: (tx: Tx) => Promise<T>,
  relyingOn: readonly AuthoritySubject[] = [],
): Promise<T> {
  return retrying(() =>
    db.transaction(async (tx) => {
      await tx.query(
        `select authority_lock(
           authority_installation_key() || array(
             select authority_key(kind, id) from jsonb_to_recordset($1::jsonb) as s (kind text, id uuid)),
           array(select authority_key(kind, id) from jsonb_to_recordset($2::jsonb) as s (kind text, id uuid)))`,
        [JSON.stringify(relyingOn), JSON.stringify(subjects)],
      );
      return work(tx);
    }),
  );
}
