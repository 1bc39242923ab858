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
    // The query in progress rejects with the same error; without listeners it would end the process instead.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
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
