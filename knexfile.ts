import { fileURLToPath } from "node:url";
import type { Knex } from "knex";

/** Migrations go forward only; each file runs in one transaction. */
export const migrations: Knex.MigratorConfig = {
  directory: fileURLToPath(new URL("./migrations", import.meta.url)),
  extension: "ts",
  loadExtensions: [".ts"],
  tableName: "schema_migrations",
};
