import type { Knex } from "knex";

/** Many at once: runs that ask for others, selections of policies, and deleting backups as an effect. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table operation_runs add column parent_run_id uuid,
      add column awaits_children boolean not null default false,
      drop constraint runs_trigger,
      add constraint runs_trigger check (trigger in ('page', 'command', 'schedule', 'retention', 'bulk')),
      drop constraint runs_schedule_is_system,
      add constraint runs_schedule_is_system
        check (schedule_id is null or (authority_mode = 'system_authority' and trigger in ('schedule', 'bulk'))),
      add constraint runs_child_is_bulk check ((parent_run_id is not null) = (trigger = 'bulk')),
      add constraint runs_awaiting_is_running check (not awaits_children or status = 'running');
    comment on column operation_runs.parent_run_id is 'the run that asked for it; history may outlive it';
    comment on column operation_runs.awaits_children is
      'it has asked for all its children and holds no worker: the last of them to end ends it';
    create index runs_children_idx on operation_runs (parent_run_id, id) where parent_run_id is not null;
    create index runs_open_children_idx on operation_runs (parent_run_id, id)
      where parent_run_id is not null and status <> 'completed';

    -- What relies on a backup that is about to be deleted.
    create index runs_open_by_backup_idx on operation_runs (backup_set_id)
      where backup_set_id is not null and status <> 'completed';

    create function runs_keep_their_parent() returns trigger language plpgsql as $$
    begin
      if new.parent_run_id is distinct from old.parent_run_id then
        raise exception 'the request of run % cannot be changed', old.id using errcode = '42501';
      end if;
      return new;
    end $$;
    create trigger runs_keep_their_parent before update of parent_run_id on operation_runs
      for each row execute function runs_keep_their_parent();
    alter table operation_runs enable always trigger runs_keep_their_parent;

    -- What somebody chose from the inventory and confirmed or not; frozen but for what becomes of it.
    create table bulk_selections (
      id uuid primary key,
      workspace_id uuid not null references workspaces,
      tenant_id uuid not null references tenants on delete cascade,
      operation text not null check (operation in ('policies.bulk_assign', 'policies.bulk_delete')),
      items integer not null check (items > 0),
      left_out integer not null check (left_out >= 0),
      digest text not null,
      created_by uuid not null,
      created_at timestamptz not null default clock_timestamp(),
      run_id uuid unique,
      groups jsonb,
      stale_since timestamptz,
      stale_reason text check (length(stale_reason) <= 500),
      check ((stale_since is not null) = (stale_reason is not null))
    );
    comment on column bulk_selections.left_out is 'how many of those chosen the operation can do nothing about';
    comment on column bulk_selections.groups is 'the groups that were meant, as the run found them';
    create index bulk_selections_tenant_idx on bulk_selections (tenant_id);
    create index bulk_selections_unused_idx on bulk_selections (created_at) where run_id is null;

    create table bulk_items (
      selection_id uuid not null references bulk_selections on delete cascade,
      position integer not null check (position > 0),
      inventory_item_id uuid not null,
      type text not null,
      provider_id text not null,
      name text not null,
      match_key text not null,
      expected_hash text not null,
      notes text[] not null default '{}',
      result text check (result in ('assigned', 'deleted', 'unchanged', 'refused', 'failed')),
      result_reason text check (length(result_reason) <= 1000),
      settled_at timestamptz,
      primary key (selection_id, position),
      unique (selection_id, inventory_item_id),
      check ((result is not null) = (settled_at is not null))
    );
    create index bulk_items_result_idx on bulk_items (selection_id, result, position);

    create function bulk_selections_are_frozen() returns trigger language plpgsql as $$
    begin
      if (to_jsonb(new) - '{run_id,groups,stale_since,stale_reason}'::text[])
           <> (to_jsonb(old) - '{run_id,groups,stale_since,stale_reason}'::text[])
         or (old.run_id is not null and new.run_id is distinct from old.run_id)
      then
        raise exception 'the selection is frozen' using errcode = '42501';
      end if;
      return new;
    end $$;
    create trigger bulk_selections_are_frozen before update on bulk_selections
      for each row execute function bulk_selections_are_frozen();
    alter table bulk_selections enable always trigger bulk_selections_are_frozen;

    create function bulk_items_are_frozen() returns trigger language plpgsql as $$
    begin
      if (to_jsonb(new) - '{notes,result,result_reason,settled_at}'::text[])
         <> (to_jsonb(old) - '{notes,result,result_reason,settled_at}'::text[])
      then
        raise exception 'the selection is frozen: its items cannot be changed' using errcode = '42501';
      end if;
      return new;
    end $$;
    create trigger bulk_items_are_frozen before update on bulk_items
      for each row execute function bulk_items_are_frozen();
    alter table bulk_items enable always trigger bulk_items_are_frozen;

    -- The list of the inventory goes by name.
    create index inventory_items_name_idx on inventory_items (tenant_id, lower(name), id)
      where gone_since is null;

    -- As before; \`backups\` are the sets that the effect at hand takes away, whose keys it needs exclusively.
    drop function authority_lock_runs(uuid[], text[]);
    create function authority_lock_runs(run_ids uuid[], exclusive text[], backups uuid[] default '{}') returns void
      language plpgsql volatile set search_path = pg_catalog, public, pg_temp as $$
    declare
      shared_keys bigint[];
      exclusive_keys bigint[];
    begin
      select array_agg(distinct k.key) into shared_keys
      from operation_runs r, unnest(authority_keys_of(r)) as k(key) where r.id = any (run_ids);
      select array_agg(distinct k.key) into exclusive_keys
      from (
        select authority_key('connection', r.connection_id) as key
        from operation_runs r where r.id = any (run_ids) and 'connection' = any (exclusive)
        union all
        select authority_key('backup', b.id) from unnest(backups) as b (id) where 'backup' = any (exclusive)
      ) as k;
      perform authority_lock(coalesce(shared_keys, '{}'), coalesce(exclusive_keys, '{}'));
    end $$;
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
