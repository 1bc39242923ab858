import { rmSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { startEmbedded } from "../db/embedded.ts";
import { removeEmbedded } from "../db/embeddedPlace.ts";
import { Refused } from "./refused.ts";
import { workspaces } from "./seed/cast.ts";

export type DemoDatabase = {
  url: string;
  /** Where its data is, in words. */
  where: string;
  gone: Promise<string>;
  stop(): Promise<void>;
};

/** PostgreSQL of the demo's own, in its data directory. */
export async function openEmbedded(directory: string, fresh: boolean): Promise<DemoDatabase> {
  const data = join(directory, "postgres");
  if (fresh) {
    removeEmbedded(data);
    rmSync(join(directory, "secrets.json"), { force: true });
  }
  const server = await startEmbedded({ directory: data, port: 0 });
  return { ...server, url: server.url("postgres"), where: `data in ${server.directory}` };
}

/**
 * The database that DATABASE_URL names. Throws `Refused` when it cannot be reached, holds anything but a demo
 * or is in use by another one. `fresh` empties it: what the guards have let through is the demo's own.
 */
export async function openGiven(url: string, fresh: boolean): Promise<DemoDatabase> {
  const client = new pg.Client({ connectionString: url, application_name: "countersign demo" });
  const gone = new Promise<string>((resolve) => client.on("error", (error) => resolve(error.message)));
  await client.connect().catch((error: Error) => {
    throw new Refused(`DATABASE_URL cannot be reached: ${error.message}`);
  });
  try {
    await requireDemo(client);
    await claim(client);
    if (fresh) await empty(client);
  } catch (error) {
    await client.end();
    throw error;
  }
  return { url, where: "the one DATABASE_URL names", gone, stop: () => client.end() };
}

/** A worker beside the sandbox would spoil an installation that somebody uses; so would a schema of ours. */
async function requireDemo(client: pg.Client): Promise<void> {
  const { rows: tables } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  if (tables.length === 0) return;
  if (tables.some(({ name }) => name === "workspaces")) {
    const { rows } = await client.query<{ id: string }>("select id from workspaces limit 10");
    const ours: readonly string[] = workspaces.map(({ id }) => id);
    const { rows: people } = await client.query("select 1 from users limit 1");
    if (rows.length === 0 ? people.length === 0 : rows.every(({ id }) => ours.includes(id))) return;
  }
  throw new Refused(
    "DATABASE_URL names a database that holds something else than a demo. Give the demo an empty one, or leave DATABASE_URL away.",
  );
}

/** For as long as the connection lives. */
async function claim(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ mine: boolean }>(
    "select pg_try_advisory_lock(hashtextextended('countersign demo', 0)) as mine",
  );
  if (rows[0]?.mine !== true)
    throw new Refused("Another demo is already running on the database of DATABASE_URL.");
}

async function empty(client: pg.Client): Promise<void> {
  await client.query(
    "drop schema if exists graphile_worker cascade; drop schema public cascade; create schema public",
  );
}
