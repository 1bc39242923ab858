import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type EmbeddedServer, startEmbedded } from "../../server/db/embedded.ts";
import { removeEmbedded } from "../../server/db/embeddedPlace.ts";
import { migrateDatabase } from "../../server/db/migrate.ts";

declare global {
  var countersignTestServer: (EmbeddedServer & { remove(): void }) | undefined;
}

/**
 * One PostgreSQL for the whole test run, with one migrated template database that each test file clones. A
 * data directory of its own, so that two test runs at once do not meet.
 */
export default async function globalSetup(): Promise<void> {
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
  globalThis.countersignTestServer = {
    ...server,
    remove: () => {
      removeEmbedded(data);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  const admin = new pg.Client({ connectionString: server.url("postgres") });
  await admin.connect();
  await admin.query("create database countersign_template");
  await admin.end();
  await migrateDatabase(server.url("countersign_template"));
  process.env.TEST_POSTGRES_URL = server.url("postgres");
}
