import type { Knex } from "knex";

/** Roles have names that nobody can mistake for another, and a person's sessions can be found to be ended. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create unique index roles_name_key on roles (workspace_id, lower(name));
    create index sessions_user_idx on sessions ((sess -> 'passport' ->> 'user'));
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
