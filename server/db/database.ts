import pg from "pg";

/** Anything that answers a single read: the pool or a transaction. */
export type Reader = {
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
};

/**
 * An open transaction. Every function that writes takes one, passed by hand; the private field makes the
 * type nominal, so that a pool never fits where a transaction is asked for.
 */
export class Tx implements Reader {
  readonly #client: pg.ClientBase;
  constructor(client: pg.ClientBase) {
    this.#client = client;
  }
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const result = await this.#client.query<Row>(text, [...values]);
    return result.rows;
  }
}

/**
 * How long a transaction may take, in milliseconds. `total` needs PostgreSQL 17; before that, `statement`
 * and `idle` bound it together.
 */
export type Bounds = { lock: number; statement: number; idle: number; total: number };

/**
 * For gates and effects: all well below the revokers' `deadlock_timeout` of one second, so that in a deadlock
 * the worker loses and the person who revokes does not (handbook 2, "Bounds").
 */
export const workerBounds: Bounds = { lock: 250, statement: 700, idle: 700, total: 900 };

/** For pages and commands: a person waits, so it ends in a clear error rather than hang. */
const personBounds: Bounds = { lock: 5_000, statement: 15_000, idle: 15_000, total: 30_000 };

export type Db = Reader & {
  readonly pool: pg.Pool;
  /** Runs `work` in one READ COMMITTED transaction; rolls back when it throws. */
  transaction<T>(work: (tx: Tx) => Promise<T>, bounds?: Bounds): Promise<T>;
  end(): Promise<void>;
};

/** Opens a pool. `onError` hears of idle connections that break; the pool replaces them by itself. */
export function openDatabase(options: { url: string; max: number; onError?: (error: Error) => void }): Db {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    connectionTimeoutMillis: 10_000,
    application_name: "countersign",
  });
  // Without a listener a connection lost while idle (a database restart) would end the process.
  pool.on("error", (error) => options.onError?.(error));
  // One lost while in use: its query rejects with the same error, and the client is not used again.
  pool.on("connect", (client) => client.on("error", (error) => options.onError?.(error)));
  const knowsTotal = rememberOnce(async () => {
    const { rows } = await pool.query<{ n: number }>(
      "select current_setting('server_version_num')::int as n",
    );
    return (rows[0]?.n ?? 0) >= 170_000;
  });
  return {
    pool,
    async query<Row extends object>(text: string, values: readonly unknown[] = []) {
      return (await pool.query<Row>(text, [...values])).rows;
    },
    async transaction(work, bounds = personBounds) {
      return inTransaction(pool, openingStatement(bounds, await knowsTotal()), work);
    },
    end: () => pool.end(),
  };
}

async function inTransaction<T>(pool: pg.Pool, opening: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(opening);
    const result = await work(new Tx(client));
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    // A connection that could not roll back is closed, never given to the next one with a transaction open.
    client.release(broken);
  }
}

function openingStatement(bounds: Bounds, knowsTotal: boolean): string {
  const settings = [
    "begin isolation level read committed",
    `set local lock_timeout = ${bounds.lock}`,
    `set local statement_timeout = ${bounds.statement}`,
    `set local idle_in_transaction_session_timeout = ${bounds.idle}`,
    "set local synchronous_commit = on",
  ];
  if (knowsTotal) settings.push(`set local transaction_timeout = ${bounds.total}`);
  return settings.join("; ");
}

function rememberOnce<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask().catch((error) => {
      answer = undefined;
      throw error;
    });
    return answer;
  };
}
