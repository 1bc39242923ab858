import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig, settings } from "../config.ts";
import { type Db, openDatabase } from "../db/database.ts";
import { freePort } from "../db/embedded.ts";
import { migrateDatabase } from "../db/migrate.ts";
import type { CredentialKey } from "../domain/connections/sealing.ts";
import { type Child, startChild } from "./children.ts";
import { claimDirectory } from "./claim.ts";
import { openEmbedded, openGiven } from "./demoDatabase.ts";
import { requireFree } from "./ports.ts";
import { untilAnswering, untilWorking } from "./readiness.ts";
import { Refused } from "./refused.ts";
import { keepSecrets } from "./secrets.ts";
import { directories } from "./seed/directories.ts";
import { seed } from "./seed.ts";

export type DemoOptions = {
  directory: string;
  port: number;
  /** Null: PostgreSQL of its own. */
  databaseUrl: string | null;
  worker: boolean;
  fresh: boolean;
  /** Progress, a line at a time. */
  say: (line: string) => void;
  /** Each line that a child logs. */
  echo: (name: string, line: string) => void;
  /** Aborted when the person has had enough: the start then ends at the next step. */
  signal: AbortSignal;
};

export type Demo = {
  address: string;
  databaseUrl: string;
  /** Settles, with what it was, when a part has ended by itself. */
  broken: Promise<string>;
  /** Web, worker, sandbox, PostgreSQL, in this order. */
  stop(): Promise<void>;
};

/** Starts every part, one after the other; when one fails, those before it are stopped and it throws. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  await using parts = new AsyncDisposableStack();
  const release = claimDirectory(options.directory);
  parts.defer(release);
  const port = options.port === 0 ? await freePort() : options.port;
  await requireFree(port);
  const { url, gone } = await prepareDatabase(options, parts);
  const children = await startChildren({ ...options, port, databaseUrl: url }, parts);
  const started = parts.move();
  return {
    address: `http://localhost:${port}`,
    databaseUrl: url,
    broken: Promise.race([
      gone.then((said) => `PostgreSQL has gone. It said: ${said}`),
      ...children.map(({ name, gone }) => gone.then((how) => `${name} ${how}`)),
    ]),
    stop: () => started.disposeAsync(),
  };
}

async function prepareDatabase(options: DemoOptions, parts: AsyncDisposableStack) {
  const { directory, databaseUrl, fresh, say, signal } = options;
  const database =
    databaseUrl === null ? await openEmbedded(directory, fresh) : await openGiven(databaseUrl, fresh);
  parts.defer(async () => {
    await database.stop();
    if (databaseUrl === null) say("PostgreSQL has stopped.");
  });
  say(`PostgreSQL is running: ${database.where}.`);
  signal.throwIfAborted();
  const applied = await migrateDatabase(database.url);
  say(
    applied.length === 0 ? "The schema is up to date." : `The schema is there: ${applied.length} migrations.`,
  );
  signal.throwIfAborted();
  const { CREDENTIAL_KEYS } = readConfig(
    settings.worker.pick({ CREDENTIAL_KEYS: true }),
    keepSecrets(directory),
  );
  await withDatabase(database.url, async (db) => {
    await requireOpenable(db, CREDENTIAL_KEYS);
    const seeded = await seed(db, CREDENTIAL_KEYS);
    say(
      seeded
        ? "Two workspaces, eight people and some days of history are in it."
        : "It has its data already.",
    );
  });
  return database;
}

/** Seeded by a demo elsewhere, or the secrets were deleted: no run could open what is sealed. */
async function requireOpenable(db: Db, keys: readonly CredentialKey[]): Promise<void> {
  const sealed = await db.query(
    "select 1 from provider_credentials where key_id <> all ($1::text[]) limit 1",
    [keys.map(({ id }) => id)],
  );
  if (sealed.length > 0)
    throw new Refused("This database was seeded with the secrets of another demo. Start over with --fresh.");
}

type ChildrenOptions = DemoOptions & { port: number; databaseUrl: string };

/** The worker before the web process, so that they stop the other way round: no request without a queue. */
async function startChildren(options: ChildrenOptions, parts: AsyncDisposableStack): Promise<Child[]> {
  const { directory, port, databaseUrl, say } = options;
  const common = { NODE_ENV: "development", DATABASE_URL: databaseUrl };
  const { SESSION_SECRET, CREDENTIAL_KEYS } = keepSecrets(directory);
  const start = childStarter(options, parts);

  const definitions = join(directory, "directories.json");
  writeFileSync(definitions, JSON.stringify(directories));
  const sandbox = start("sandbox", "server/demo/sandbox/main.ts", {}, ["--directories", definitions]);
  const { url: sandboxUrl }: { url: string } = JSON.parse(await alive(sandbox, sandbox.firstLine));
  say("The sandbox stands in for Microsoft Graph.");

  const children = [sandbox];
  if (options.worker) {
    const worker = start("worker", "jobs/worker.ts", {
      ...common,
      CREDENTIAL_KEYS,
      GRAPH_URL: sandboxUrl,
      LOGIN_URL: sandboxUrl,
    });
    children.push(worker);
    await withDatabase(databaseUrl, (db) => alive(worker, untilWorking(db)));
    say("The worker is waiting for work.");
  } else say("No worker: what is requested stays queued.");

  const web = start("web", "server/index.ts", {
    ...common,
    SESSION_SECRET,
    CREDENTIAL_KEYS,
    // Everyone knows the password: nobody but this machine is let in.
    HOST: "127.0.0.1",
    PORT: String(port),
  });
  await alive(web, untilAnswering(`http://127.0.0.1:${port}/health/ready`));
  return [...children, web];
}

function childStarter({ directory, echo, say, signal }: DemoOptions, parts: AsyncDisposableStack) {
  const logs = join(directory, "logs");
  mkdirSync(logs, { recursive: true });
  return (name: string, script: string, environment: Record<string, string>, args: string[] = []): Child => {
    signal.throwIfAborted();
    const child = startChild({
      name,
      script,
      args,
      environment,
      logFile: join(logs, `${name}.log`),
      echo: (line) => echo(name, line),
    });
    parts.defer(async () => {
      await child.stop();
      say(`The ${name} process has stopped.`);
    });
    return child;
  };
}

/** What is waited for, unless the child ends first. */
function alive<T>({ name, gone }: Child, awaited: Promise<T>): Promise<T> {
  return Promise.race([awaited, gone.then((how) => Promise.reject(new Error(`The ${name} process ${how}`)))]);
}

async function withDatabase<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = openDatabase({ url, max: 10 });
  try {
    return await work(db);
  } finally {
    await db.end();
  }
}
