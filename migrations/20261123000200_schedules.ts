import type { Knex } from "knex";

/** Schedules: what asks for runs by itself, under system authority, for as long as it is active. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table schedules (
      id uuid primary key,
      workspace_id uuid not null references workspaces,
      tenant_id uuid references tenants on delete cascade,
      operation text not null,
      target jsonb not null,
      cron text not null check (length(cron) between 9 and 200),
      time_zone text not null check (length(time_zone) between 1 and 100),
      steward_id uuid not null,
      steward_name text not null,
      status text not null default 'active' check (status in ('active', 'paused'))
    );
    comment on column schedules.steward_id is
      'who answers for it; without a foreign key, because it stays when they leave and then needs another';
    create index schedules_workspace_idx on schedules (workspace_id, id);
    create index schedules_tenant_idx on schedules (tenant_id);
    create index schedules_steward_idx on schedules (steward_id, workspace_id);

    -- Apart, because it changes with every run and no gate reads it.
    create table schedule_states (
      schedule_id uuid primary key references schedules on delete cascade,
      next_run_at timestamptz,
      last_run_id uuid,
      last_asked_at timestamptz,
      skipped integer not null default 0 check (skipped >= 0),
      paused_at timestamptz,
      paused_by_name text,
      pause_note text check (length(pause_note) <= 500),
      created_by_name text not null,
      created_at timestamptz not null default clock_timestamp()
    );
    comment on column schedule_states.next_run_at is 'null: there is no such time any more';
    comment on column schedule_states.skipped is 'how often its time came while the run before had not ended';
    create index schedule_states_due_idx on schedule_states (next_run_at, schedule_id);

    alter table operation_runs add column schedule_id uuid,
      drop constraint operation_runs_trigger_check,
      add constraint runs_trigger check (trigger in ('page', 'command', 'schedule', 'retention')),
      add constraint runs_schedule_is_system
        check (schedule_id is null or (authority_mode = 'system_authority' and trigger = 'schedule'));
    comment on column operation_runs.schedule_id is 'the schedule that asked for it, which may be gone by now';
    create index runs_schedule_idx on operation_runs (schedule_id, id desc) where schedule_id is not null;
    create index runs_open_by_schedule_idx on operation_runs (schedule_id)
      where schedule_id is not null and status <> 'completed';

    create function runs_keep_their_schedule() returns trigger language plpgsql as $$
    begin
      if new.schedule_id is distinct from old.schedule_id or new.trigger is distinct from old.trigger then
        raise exception 'the request of run % cannot be changed', old.id using errcode = '42501';
      end if;
      return new;
    end $$;
    create trigger runs_keep_their_schedule before update of schedule_id, trigger on operation_runs
      for each row execute function runs_keep_their_schedule();
    alter table operation_runs enable always trigger runs_keep_their_schedule;

    create or replace function authority_keys_of(run operation_runs) returns bigint[]
      language sql immutable as $$
      select array_remove(array[
        authority_installation_key(),
        authority_key('workspace', run.workspace_id),
        authority_key('user', run.initiator_id),
        authority_key('tenant', run.tenant_id),
        authority_key('connection', run.connection_id),
        authority_key('backup', run.backup_set_id),
        authority_key('schedule', run.schedule_id)
      ], null)
    $$;

    -- For retention, which looks for the oldest of each.
    create index notifications_read_idx on notifications (read_at) where read_at is not null;
    create index restore_plans_unused_idx on restore_plans (created_at) where run_id is null;
  `);
  await knex.raw(fences);
}

/** As for every authority table. Only the schedule's own id is in its key, so it alone may never change. */
const fences = `
  create function fence_schedules() returns trigger
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
  declare
    fine bigint[];
    coarse bigint[];
  begin
    if tg_op = 'INSERT' then
      select array_agg(distinct authority_key('schedule', id)),
        array_agg(distinct authority_key('workspace', workspace_id)) into fine, coarse from new_rows;
    elsif tg_op = 'DELETE' then
      select array_agg(distinct authority_key('schedule', id)),
        array_agg(distinct authority_key('workspace', workspace_id)) into fine, coarse from old_rows;
    else
      if exists (select id, workspace_id, tenant_id, operation from new_rows
                 except all select id, workspace_id, tenant_id, operation from old_rows) then
        raise exception 'columns that authority keys derive from cannot be changed (schedules: id, workspace_id, tenant_id, operation)'
          using errcode = '42501';
      end if;
      select array_agg(distinct authority_key('schedule', id)),
        array_agg(distinct authority_key('workspace', workspace_id)) into fine, coarse from old_rows;
    end if;
    perform authority_raise(fine, coarse);
    return null;
  end $$;
  create trigger fence_insert after insert on schedules
    referencing new table as new_rows for each statement execute function fence_schedules();
  create trigger fence_update after update on schedules
    referencing old table as old_rows new table as new_rows for each statement execute function fence_schedules();
  create trigger fence_delete after delete on schedules
    referencing old table as old_rows for each statement execute function fence_schedules();
  create trigger fence_truncate before truncate on schedules
    for each statement execute function authority_refuse_truncate();
  alter table schedules enable always trigger fence_insert;
  alter table schedules enable always trigger fence_update;
  alter table schedules enable always trigger fence_delete;
  alter table schedules enable always trigger fence_truncate;
`;

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
