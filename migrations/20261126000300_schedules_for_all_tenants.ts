import type { Knex } from "knex";

/** Schedules for all tenants of a workspace: they have no tenant, and may find none to do their work at. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table schedules add constraint schedules_for_all_have_no_tenant
      check (operation <> 'tenants.bulk_sync' or tenant_id is null);
    alter table schedule_states add column found_none integer not null default 0 check (found_none >= 0);
    comment on column schedule_states.found_none is
      'how often its time came since it last asked while there was no tenant to do it at';
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
