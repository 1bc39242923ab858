import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startEmbedded } from "../../server/db/embedded.ts";
import { removeEmbedded } from "../../server/db/embeddedPlace.ts";
import { migrateDatabase } from "../../server/db/migrate.ts";

declare global {
  var countersignEndOfTests: (() => Promise<void>) | undefined;
}

/**
 * One PostgreSQL for the whole test run, with one migrated template database that each test file clones. Set
 * `TEST_POSTGRES_URL` to a superuser's address to run against a server of your own, e.g. another version.
 */
export default async function globalSetup(): Promise<void> {
  const given = process.env.TEST_POSTGRES_URL;
  const server = given === undefined ? await startOwn() : { url: given, stop: async () => {} };
  const template = `countersign_template_${randomBytes(4).toString("hex")}`;
  await administer(server.url, `create database ${template}`);
  globalThis.countersignEndOfTests = async () => {
    await administer(server.url, `drop database ${template}`);
    await server.stop();
  };
  const url = new URL(server.url);
  url.pathname = `/${template}`;
  await migrateDatabase(url.href);
  process.env.TEST_POSTGRES_URL = server.url;
  process.env.TEST_TEMPLATE = template;
}

/** A data directory of its own, so that two test runs at once do not meet. */
async function startOwn(): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "countersign-test-"));
  // As root, PostgreSQL runs as a user of its own, who has to reach its directory inside this one.
  chmodSync(directory, 0o755);
  const data = join(directory, "postgres");
  const server = await startEmbedded({
    directory: data,
    port: 0,
    // The data is thrown away: no need to survive a power cut.
    flags: ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300"],
  });
  return {
    url: server.url("postgres"),
    async stop() {
      await server.stop();
      removeEmbedded(data);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
