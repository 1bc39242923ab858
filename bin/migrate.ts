import { Command } from "commander";
import { ConfigError, readConfig, settings } from "../server/config.ts";
import { migrateDatabase } from "../server/db/migrate.ts";

new Command("npm run migrate")
  .description("Brings the database (DATABASE_URL) to this release's schema, Graphile Worker's included.")
  .action(async () => {
    try {
      const { DATABASE_URL } = readConfig(settings.database);
      const applied = await migrateDatabase(DATABASE_URL);
      console.log(
        applied.length === 0
          ? "The database is up to date."
          : `Applied ${applied.length} migrations:\n${applied.map((name) => `  ${name}`).join("\n")}`,
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      console.error(error instanceof ConfigError ? reason : `The migration failed: ${reason}`);
      process.exitCode = 1;
    }
  })
  .parseAsync();
