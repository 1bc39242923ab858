import pg from "pg";

/** What the installation decides about authority. A fact to every gate, so it travels with the database. */
export type InstallationRules = {
  /** How old (hours) a verification may be for the write gate to stay open. */
  writeGateMaxAgeHours: number;
  /** How many runs of one tenant may be under way at once, so that no tenant takes all workers. */
  tenantConcurrency: number;
};

const defaultRules: InstallationRules = { writeGateMaxAgeHours: 24, tenantConcurrency: 4 };

/**
 * Anything that answers a single read: the pool or a transaction. A `name` keeps the statement's plan with the
 * connection: for one that is asked all the time and takes longer to plan than to answer. The same text each time.
 */
export type Reader = {
  readonly rules: InstallationRules;
  query<Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]>;
};

/**
 * An open transaction. Every function that writes takes one, passed by hand; the private field makes the
 * type nominal, so that a pool never fits where a transaction is asked for. It ends with the transaction: a
 * statement that somebody forgot to wait for must not run on the connection's next life, outside any gate.
 */
export class Tx implements Reader {
  readonly #client: pg.ClientBase;
  readonly #endsAt: number;
  readonly rules: InstallationRules;
  #isOver = false;
  /** `total` bounds the transaction in milliseconds also where PostgreSQL itself cannot (before 17). */
  constructor(client: pg.ClientBase, rules = defaultRules, total = Number.POSITIVE_INFINITY) {
    this.#client = client;
    this.rules = rules;
    this.#endsAt = performance.now() + total;
  }
  async query<Row extends object>(text: string, values: readonly unknown[] = [], name = "") {
    if (this.#isOver) throw new Error("The transaction is over: a statement came too late to be part of it.");
    if (endsTransactions.test(text)) throw new Error("A transaction is ended by the one that began it.");
    if (performance.now() > this.#endsAt) throw new TransactionTimeout();
    const result = await this.#client.query<Row>({ text, values: [...values], name });
    return result.rows;
  }
  /** From now on this takes no statements. Called before the transaction is committed or rolled back. */
  close(): void {
    this.#isOver = true;
  }
}

const endsTransactions = /^\s*(begin|start|commit|end|rollback(?!\s+to\b)|abort|prepare\s+transaction)\b/i;

/** Like PostgreSQL's own `transaction_timeout`, with its SQLSTATE: worth another try. */
class TransactionTimeout extends Error {
  override readonly name = "TransactionTimeout";
  readonly code = "25P04";
  constructor() {
    super("The transaction took too long.");
  }
}

/**
 * How long a transaction may take, in milliseconds. `total` needs PostgreSQL 17; before that, `statement`
 * and `idle` bound it together.
 */
export type Bounds = { lock: number; statement: number; idle: number; total: number; name: string };

/**
 * For gates and effects: all well below the revokers' `deadlock_timeout` of one second, so that in a deadlock
 * the worker loses and the person who revokes does not (handbook 2, "Bounds").
 */
export const workerBounds: Bounds = {
  lock: 250,
  statement: 700,
  idle: 700,
  total: 900,
  name: "countersign gate",
};

/** For pages and commands: a person waits, so it ends in a clear error rather than hang. */
const personBounds: Bounds = {
  lock: 5_000,
  statement: 15_000,
  idle: 15_000,
  total: 30_000,
  name: "countersign",
};

/**
 * For changes of authority: they wait for runs' effects, which take less than a second, so a lock that takes
 * longer is a worker's that hangs (see `changeAuthority`).
 */
export const revokerBounds: Bounds = { ...personBounds, lock: 2_000, name: "countersign revocation" };

export type Db = Reader & {
  readonly pool: pg.Pool;
  /** Runs `work` in one READ COMMITTED transaction; rolls back when it throws. */
  transaction<T>(work: (tx: Tx) => Promise<T>, bounds?: Bounds): Promise<T>;
  end(): Promise<void>;
};

/** Opens a pool. `onError` hears of idle connections that break; the pool replaces them by itself. */
export function openDatabase(options: {
  url: string;
  max: number;
  rules?: InstallationRules;
  onError?: (error: Error) => void;
}): Db {
  const { rules = defaultRules } = options;
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
    rules,
    async query<Row extends object>(text: string, values: readonly unknown[] = [], name = "") {
      return (await pool.query<Row>({ text, values: [...values], name })).rows;
    },
    async transaction(work, bounds = personBounds) {
      const opening = openingStatement(bounds, await knowsTotal());
      return inTransaction(pool, { opening, total: bounds.total, rules }, work);
    },
    end: () => pool.end(),
  };
}

async function inTransaction<T>(
  pool: pg.Pool,
  { opening, total, rules }: { opening: string; total: number; rules: InstallationRules },
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const tx = new Tx(client, rules, total);
  let broken: Error | undefined;
  // The server's reason for ending us between two statements; the next statement only says that it is gone.
  let ended: Error | undefined;
  const onError = (error: Error) => {
    ended ??= error;
  };
  client.on("error", onError);
  try {
    await client.query(opening);
    const result = await work(tx);
    tx.close();
    // After a statement that failed and that nobody heeded, PostgreSQL answers a commit by rolling back.
    const { command } = await client.query("commit");
    if (command !== "COMMIT") throw new Error("The transaction was not committed: a statement in it failed.");
    return result;
  } catch (error) {
    tx.close();
    await client.query("rollback").catch((failure: Error) => {
      broken = failure;
    });
    throw ended ?? error;
  } finally {
    client.off("error", onError);
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
    `set local application_name = '${bounds.name}'`,
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
