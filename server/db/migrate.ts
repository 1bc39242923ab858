import { runMigrations } from "graphile-worker";
import knex from "knex";
import pg from "pg";
import { migrations } from "../../knexfile.ts";

/**
 * Brings a database to the present schema: ours and Graphile Worker's, because the web process enqueues
 * before any worker has started. Returns the names of the migrations of ours that were applied.
 */
export async function migrateDatabase(url: string): Promise<string[]> {
  const ours = knex({ client: "pg", connection: url, migrations });
  try {
    const [, applied]: [number, string[]] = await ours.migrate.latest();
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    pool.on("error", () => {
      // The query in progress rejects with the same error; this only keeps an idle one from ending the process.
    });
    try {
      await runMigrations({ pgPool: pool });
    } finally {
      await pool.end();
    }
    return applied;
  } finally {
    await ours.destroy();
  }
}
