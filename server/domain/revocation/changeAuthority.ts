import { setTimeout as wait } from "node:timers/promises";
import { type Db, revokerBounds, type Tx } from "../../db/database.ts";
import { isTransient, sqlStateOf } from "../../db/retrying.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { type Drained, drainWrites, listUnderWay, nothingDrained, type UnderWay } from "./drainWrites.ts";
import { endHungGates } from "./endHungGates.ts";

/** What an authority key is of. The installation's own key is for changes too large for any other. */
export type AuthoritySubject = {
  kind: "workspace" | "user" | "tenant" | "connection" | "backup" | "schedule";
  id: string;
};

/** What the change answered, and what became of the writing calls that were under way when it was made. */
export type Changed<T> = { value: T; drained: Drained };

export type ChangeOptions = {
  /**
   * Taken shared, in the same order: what the actor's own right to do this rests on, and the installation's
   * key, to which a very large change escalates.
   */
  relyingOn?: readonly AuthoritySubject[];
  /** The change takes nothing away from what runs (a hold), so nobody has to wait for calls under way. */
  takesNothingAway?: true;
};

/**
 * Every change of authority goes through here. Takes the exclusive locks of all subjects up front, in order,
 * before any row lock; then `work`, then commits; then waits until the writing calls intended before are
 * settled or can no longer be on the wire (handbook 2, "Exclusive side", "Provider writes", "Bounds"). Once it
 * has returned, nothing happens under what was taken away. Retries when it loses a deadlock or waits too long,
 * and ends a worker's transaction that hangs with the locks. The triggers on the authority tables are what
 * makes other ways of changing them safe too; this orders the locks well and waits.
 */
export async function changeAuthority<T>(
  db: Db,
  subjects: readonly AuthoritySubject[],
  work: (tx: Tx) => Promise<T>,
  { relyingOn = [], takesNothingAway }: ChangeOptions = {},
): Promise<Changed<T>> {
  const { value, underWay } = await commitChange(db, { subjects, relyingOn }, work);
  const drained = takesNothingAway ? nothingDrained : await drainWrites(db, underWay);
  return { value, drained };
}

type Locks = { subjects: readonly AuthoritySubject[]; relyingOn: readonly AuthoritySubject[] };

const tries = 8;

async function commitChange<T>(
  db: Db,
  locks: Locks,
  work: (tx: Tx) => Promise<T>,
): Promise<{ value: T; underWay: UnderWay[] }> {
  let ended = 0;
  for (let tried = 1; ; tried += 1) {
    try {
      return await db.transaction(async (tx) => {
        await takeLocks(tx, locks);
        const value = await work(tx);
        if (ended > 0) await recordEnded(tx, ended);
        return { value, underWay: await listUnderWay(tx) };
      }, revokerBounds);
    } catch (error) {
      if (tried >= tries || !isTransient(error)) throw error;
      if (sqlStateOf(error) === lockTimeout) ended += await endHungGates(db);
      await wait(Math.random() * Math.min(15 * 2 ** tried, 1_000));
    }
  }
}

const lockTimeout = "55P03";

async function takeLocks(tx: Tx, { subjects, relyingOn }: Locks): Promise<void> {
  await tx.query(
    `select authority_lock(
       authority_installation_key() || array(
         select authority_key(kind, id) from jsonb_to_recordset($1::jsonb) as s (kind text, id uuid)),
       array(select authority_key(kind, id) from jsonb_to_recordset($2::jsonb) as s (kind text, id uuid)))`,
    [JSON.stringify(relyingOn), JSON.stringify(subjects)],
  );
}

async function recordEnded(tx: Tx, backends: number): Promise<void> {
  await recordAudit(tx, {
    workspaceId: null,
    tenantId: null,
    actor: null,
    action: "authority.hung_gate_ended",
    subject: { type: "installation", id: null },
    outcome: "done",
    details: { backends, message: "A worker's transaction hung while a change of authority waited for it." },
  });
}
