import { chmodSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Db, openDatabase } from "../../server/db/database.ts";
import { startEmbedded } from "../../server/db/embedded.ts";
import { migrateDatabase } from "../../server/db/migrate.ts";

/** A PostgreSQL of its own for one measurement, with its usual durability; gone afterwards. */
export async function withDatabase(work: (db: Db, url: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  chmodSync(directory, 0o755);
  const server = await startEmbedded({ directory: join(directory, "postgres"), port: 0 });
  try {
    const admin = new pg.Client({ connectionString: server.url("postgres") });
    await admin.connect();
    await admin.query("create database countersign");
    await admin.end();
    const url = server.url("countersign");
    await migrateDatabase(url);
    // What is measured is the work, not waiting in the line of the one tenant it is done at.
    const rules = { writeGateMaxAgeHours: 24, tenantConcurrency: 1_000 };
    const db = openDatabase({ url, max: 20, rules });
    try {
      await work(db, url);
    } finally {
      await db.end();
    }
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
