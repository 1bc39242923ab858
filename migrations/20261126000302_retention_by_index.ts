import type { Knex } from "knex";

/** Deleting a run looks for what refers to it, and the oldest backups are looked for every hour. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index notifications_run_idx on notifications (run_id);
    create index backup_set_details_completed_idx on backup_set_details (completed_at, set_id)
      where completed_at is not null;
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
