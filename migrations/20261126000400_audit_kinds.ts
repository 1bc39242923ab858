import type { Knex } from "knex";

/** The trail without what runs record, and what was denied alone, a page at the cost of a page. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index audit_without_runs_idx on audit_events (workspace_id, id desc) where action not like 'run.%';
    create index audit_denied_idx on audit_events (workspace_id, id desc) where outcome = 'denied';
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
