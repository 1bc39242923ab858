import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { Db } from "../../server/db/database.ts";

/** A connection of the test's own, to hold transactions open and step through them. */
export async function openSession(url: string): Promise<pg.Client & { pid: number }> {
  const client = new pg.Client({ connectionString: url });
  // Dropping the test's database ends what is still connected to it.
  client.on("error", () => {});
  await client.connect();
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return Object.assign(client, { pid: rows[0]?.pid ?? 0 });
}

/** Resolves once somebody waits for an advisory lock; `pid` narrows it to one session. */
export async function untilSomebodyWaits(db: Db, pid?: number): Promise<void> {
  await until(async () => {
    const rows = await db.query(
      `select 1 from pg_locks where locktype = 'advisory' and not granted
       and database = (select oid from pg_database where datname = current_database())
       and ($1::integer is null or pid = $1)`,
      [pid ?? null],
    );
    return rows.length > 0;
  });
}

/** Resolves once this many sessions wait for a lock of any kind at the same time. */
export async function untilSessionsWait(db: Db, sessions: number): Promise<void> {
  await until(async () => {
    const rows = await db.query(
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
    return rows.length >= sessions;
  });
}

/**
 * Holds an authority key exclusively, as a revocation in progress does, until the returned function is called.
 * Whoever gates under that key waits meanwhile.
 */
export async function holdKey(url: string, kind: string, id: string): Promise<() => Promise<void>> {
  const session = await openSession(url);
  await session.query("begin");
  await session.query("select authority_lock('{}', array[authority_key($1, $2)])", [kind, id]);
  return async () => {
    await session.query("rollback");
    await session.end();
  };
}

/** Whether a session holds a key exclusively: an advisory lock's 64 bits are split over classid and objid. */
export async function holdsExclusive(db: Db, pid: number, kind: string, id: string): Promise<boolean> {
  const rows = await db.query(
    `select 1 from pg_locks where pid = $1 and locktype = 'advisory' and mode = 'ExclusiveLock' and granted
     and objsubid = 1 and (classid::bigint << 32 | objid::bigint) = authority_key($2, $3)`,
    [pid, kind, id],
  );
  return rows.length > 0;
}

/** Resolves when the condition holds, however long that takes; the test's own time limit bounds it. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(2);
}

export type Settled<T> = { done: boolean; result: Promise<T> };

/** Follows a promise without waiting for it; it may reject before anybody looks. */
export function follow<T>(promise: Promise<T>): Settled<T> {
  const followed: Settled<T> = { done: false, result: promise };
  const note = () => {
    followed.done = true;
  };
  promise.then(note, note);
  return followed;
}

/** A door that a piece of code waits at until the test opens it. */
export function makeDoor(): { reached: Promise<void>; wait(): Promise<void>; open(): void } {
  let arrive = () => {};
  let open = () => {};
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    reached,
    wait: () => {
      arrive();
      return opened;
    },
    open: () => open(),
  };
}
