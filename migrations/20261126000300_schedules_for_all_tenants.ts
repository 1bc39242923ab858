import type { Knex } from "knex";

/**
 * Schedules for all tenants of a workspace: they have no tenant, and may find none to do their work at. And the
 * last outcome with each, so that the list of thousands need not look up their runs to say which need somebody.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table schedules add constraint schedules_for_all_have_no_tenant
      check (operation <> 'tenants.bulk_sync' or tenant_id is null);
    alter table schedule_states add column found_none integer not null default 0 check (found_none >= 0);
    comment on column schedule_states.found_none is
      'how often its time came since it last asked while there was no tenant to do it at';
    alter table schedule_states add column last_outcome text
      check (last_outcome in ('succeeded', 'partially_succeeded', 'blocked', 'failed', 'cancelled'));
    comment on column schedule_states.last_outcome is
      'how its last run ended; null while it has none that has ended';
    update schedule_states s set last_outcome = r.outcome
    from operation_runs r where r.id = s.last_run_id and r.outcome <> 'pending';
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
