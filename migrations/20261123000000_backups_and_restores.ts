import type { Knex } from "knex";

/** Backup sets, what a restore was previewed to do, and what a run froze to rely on. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    -- Only what gates read: whether the set is there. Its id is that of the run that took it.
    create table backup_sets (
      id uuid primary key,
      workspace_id uuid not null references workspaces,
      tenant_id uuid not null references tenants
    );
    create index backup_sets_workspace_idx on backup_sets (workspace_id, id desc);
    create index backup_sets_tenant_idx on backup_sets (tenant_id, id desc);

    create table backup_set_details (
      set_id uuid primary key references backup_sets on delete cascade,
      kind text not null check (kind in ('backup', 'snapshot')),
      tenant_name text not null,
      initiator_name text,
      types text[] not null,
      items integer not null default 0 check (items >= 0),
      skipped jsonb not null default '[]',
      taken_at timestamptz not null default clock_timestamp(),
      completed_at timestamptz
    );

    create table backup_items (
      id uuid primary key,
      set_id uuid not null references backup_sets on delete cascade,
      tenant_id uuid not null,
      type text not null,
      provider_id text not null,
      name text not null,
      match_key text not null,
      odata_type text not null,
      payload jsonb not null,
      normalised jsonb not null,
      hash text not null,
      assignments jsonb,
      assignments_hash text,
      refers jsonb not null default '{}',
      not_captured text[] not null default '{}',
      taken_token bigint not null,
      unique (set_id, type, provider_id)
    );
    comment on column backup_items.hash is 'digest of the normalised form; assignments are compared apart';
    comment on column backup_items.refers is
      'names of the groups, filters and scope tags it names by id, to find their like elsewhere';
    comment on column backup_items.taken_token is 'the attempt that read it: a retry leaves out what it no longer finds';
    create index backup_items_list_idx on backup_items (set_id, type, lower(name), id);
    create index backup_items_match_idx on backup_items (set_id, type, match_key);

    -- A preview's id is that of the run that made it. Frozen once it has a digest.
    create table restore_plans (
      id uuid primary key,
      workspace_id uuid not null references workspaces,
      tenant_id uuid not null references tenants,
      source_set_id uuid not null,
      source_tenant_id uuid not null,
      options jsonb not null,
      items integer not null default 0 check (items >= 0),
      created_at timestamptz not null default clock_timestamp(),
      digest text,
      completed_at timestamptz,
      run_id uuid unique,
      stale_since timestamptz,
      stale_reason text check (length(stale_reason) <= 500),
      check ((digest is not null) = (completed_at is not null)),
      check ((stale_since is not null) = (stale_reason is not null))
    );
    create index restore_plans_set_idx on restore_plans (source_set_id);
    create index restore_plans_tenant_idx on restore_plans (tenant_id, id desc);

    create table restore_items (
      plan_id uuid not null references restore_plans on delete cascade,
      position integer not null check (position > 0),
      backup_item_id uuid not null,
      type text not null,
      name text not null,
      match_key text not null,
      action text not null check (action in ('create', 'update', 'unchanged', 'refused')),
      reason text,
      provider_id text,
      expected_hash text,
      desired jsonb,
      assignments jsonb,
      diff jsonb not null default '[]',
      notes text[] not null default '{}',
      result text check (result in ('created', 'updated', 'unchanged', 'refused', 'failed')),
      result_reason text check (length(result_reason) <= 1000),
      settled_at timestamptz,
      primary key (plan_id, position),
      check (action <> 'refused' or reason is not null),
      check ((result is not null) = (settled_at is not null))
    );
    create index restore_items_action_idx on restore_items (plan_id, action, position);
    create index restore_items_result_idx on restore_items (plan_id, result, position);

    create function restore_items_are_frozen() returns trigger language plpgsql as $$
    declare
      frozen boolean;
    begin
      select digest is not null into frozen from restore_plans
      where id = case when tg_op = 'INSERT' then new.plan_id else old.plan_id end;
      if not coalesce(frozen, false) then
        if tg_op = 'DELETE' then return old; end if;
        return new;
      end if;
      if tg_op = 'UPDATE' and
         (to_jsonb(new) - '{result,result_reason,settled_at}'::text[])
         = (to_jsonb(old) - '{result,result_reason,settled_at}'::text[])
      then
        return new;
      end if;
      raise exception 'the preview is frozen: its items cannot be changed' using errcode = '42501';
    end $$;
    -- Deleting a whole plan (retention) goes through: the plan's row is gone by then.
    create trigger restore_items_are_frozen before insert or update or delete on restore_items
      for each row execute function restore_items_are_frozen();
    alter table restore_items enable always trigger restore_items_are_frozen;

    create function restore_plans_are_frozen() returns trigger language plpgsql as $$
    begin
      if old.digest is not null and
         (new.id, new.workspace_id, new.tenant_id, new.source_set_id, new.source_tenant_id, new.options, new.items,
          new.created_at, new.digest, new.completed_at)
         is distinct from
         (old.id, old.workspace_id, old.tenant_id, old.source_set_id, old.source_tenant_id, old.options, old.items,
          old.created_at, old.digest, old.completed_at)
         or (old.run_id is not null and new.run_id is distinct from old.run_id)
      then
        raise exception 'the preview is frozen' using errcode = '42501';
      end if;
      return new;
    end $$;
    create trigger restore_plans_are_frozen before update on restore_plans
      for each row execute function restore_plans_are_frozen();
    alter table restore_plans enable always trigger restore_plans_are_frozen;

    -- A run found what it listed before these columns were there: the next sync fills them.
    alter table inventory_items add column match_key text not null default '',
      add column normalised jsonb not null default '{}',
      add column normalised_hash text not null default '';
    create index inventory_items_match_idx on inventory_items (tenant_id, type, match_key) where gone_since is null;
    create index inventory_items_list_idx on inventory_items (tenant_id, type, lower(name), id)
      where gone_since is null;

    alter table provider_credentials add column kind text not null default 'secret'
        check (kind in ('secret', 'certificate')),
      add column thumbprint text,
      add column subject text;
    create index provider_credentials_key_idx on provider_credentials (key_id, connection_id);
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
