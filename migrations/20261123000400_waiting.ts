import type { Knex } from "knex";

/** What runs wait for: holds of a whole workspace, runs let through a hold, the line at each tenant. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table workspace_holds (
      workspace_id uuid primary key references workspaces on delete cascade,
      reason text not null check (length(reason) between 1 and 500),
      placed_by uuid,
      placed_by_name text not null,
      placed_at timestamptz not null default now(),
      until timestamptz check (isfinite(until))
    );

    alter table operation_runs add column released_from_hold_at timestamptz,
      add column released_from_workspace_hold_at timestamptz,
      drop constraint runs_waiting_reason,
      add constraint runs_waiting_reason check (waiting_reason in ('hold', 'turn', 'concurrency'));
    comment on column operation_runs.released_from_hold_at is
      'when somebody let this very run through its tenant''s hold; holds placed later hold it again';
    comment on column operation_runs.released_from_workspace_hold_at is 'the same for a hold of the workspace';

    -- Lower comes first: what a person waits for before what a timetable asked for.
    create function queue_priority(of_trigger text) returns integer
      language sql immutable parallel safe
      return case when of_trigger in ('page', 'command') then 0 else 1 end;

    create index runs_line_idx on operation_runs (tenant_id, queue_priority(trigger), id) where status = 'queued';
    create index runs_running_by_tenant_idx on operation_runs (tenant_id) where status = 'running';
    create index runs_held_idx on operation_runs (workspace_id, id) where waiting_reason = 'hold';

    -- How many runs stand before it in its tenant's line, counted to 101. One that is to be tried again later
    -- is in nobody's way.
    create function runs_before(run operation_runs) returns integer language sql stable as $$
      select count(*)::integer from (
        select 1 from operation_runs o
        where o.status = 'queued' and o.tenant_id = run.tenant_id and o.workspace_id = run.workspace_id
          and (queue_priority(o.trigger), o.id) < (queue_priority(run.trigger), run.id)
          and (o.next_attempt_at is null or o.next_attempt_at <= statement_timestamp())
        limit 101) as line
    $$;

    -- The hold a waiting run stands under, the wider one first. For what pages say; whether a run may begin is
    -- decided on the facts themselves.
    create function hold_over(run operation_runs)
      returns table ("of" text, reason text, "by" text, until timestamptz) language sql stable rows 1 as $$
      select * from (
        select 'workspace', h.reason, h.placed_by_name, h.until from workspace_holds h
        where h.workspace_id = run.workspace_id and (h.until is null or h.until > statement_timestamp())
          and coalesce(run.released_from_workspace_hold_at < h.placed_at, true)
        union all
        select 'tenant', h.reason, h.placed_by_name, h.until
        from tenant_holds h join tenants t on t.id = h.tenant_id and t.workspace_id = run.workspace_id
        where h.tenant_id = run.tenant_id and (h.until is null or h.until > statement_timestamp())
          and coalesce(run.released_from_hold_at < h.placed_at, true)
      ) as holds limit 1
    $$;

    -- More is decided under it now than who writes next: also how many run at a tenant at once.
    alter function write_turn_key(uuid) rename to turn_key;
  `);
  await knex.raw(fences);
}

/** As for every authority table; a hold of a workspace changes what the workspace's gates answer. */
const fences = `
  create function fence_workspace_holds() returns trigger
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
  declare
    fine bigint[];
  begin
    if tg_op = 'DELETE' then
      select array_agg(distinct authority_key('workspace', workspace_id)) into fine from old_rows;
    else
      select array_agg(distinct authority_key('workspace', workspace_id)) into fine from new_rows;
    end if;
    if tg_op = 'UPDATE' then
      if exists (select workspace_id from new_rows except all select workspace_id from old_rows) then
        raise exception 'columns that authority keys derive from cannot be changed (workspace_holds: workspace_id)'
          using errcode = '42501';
      end if;
    end if;
    perform authority_raise(fine, array[authority_installation_key()]);
    return null;
  end $$;
  create trigger fence_insert after insert on workspace_holds
    referencing new table as new_rows for each statement execute function fence_workspace_holds();
  create trigger fence_update after update on workspace_holds
    referencing old table as old_rows new table as new_rows
    for each statement execute function fence_workspace_holds();
  create trigger fence_delete after delete on workspace_holds
    referencing old table as old_rows for each statement execute function fence_workspace_holds();
  create trigger fence_truncate before truncate on workspace_holds
    for each statement execute function authority_refuse_truncate();
  alter table workspace_holds enable always trigger fence_insert;
  alter table workspace_holds enable always trigger fence_update;
  alter table workspace_holds enable always trigger fence_delete;
  alter table workspace_holds enable always trigger fence_truncate;
`;

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
