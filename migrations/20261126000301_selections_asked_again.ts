import type { Knex } from "knex";

/** What is left of a bulk run's selection is selected anew, and whoever confirms that asks for that run again. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table bulk_selections add column rerun_of uuid;
    comment on column bulk_selections.rerun_of is
      'the run whose selection this is what is left of; history may outlive it';
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
