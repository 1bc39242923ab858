import type { Knex } from "knex";

/** Audit trail, notifications, inventory, worker pools, sessions and sign-in limits. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table audit_events (
      id uuid primary key,
      workspace_id uuid,
      tenant_id uuid,
      actor_id uuid,
      actor_name text,
      action text not null,
      subject_type text not null,
      subject_id text,
      outcome text not null check (outcome in ('done', 'allowed', 'denied', 'failed')),
      details jsonb not null default '{}',
      at timestamptz not null default clock_timestamp()
    );
    create index audit_workspace_idx on audit_events (workspace_id, id desc);
    create index audit_subject_idx on audit_events (subject_type, subject_id, id desc);

    create function audit_is_append_only() returns trigger language plpgsql as $$
    begin
      raise exception 'the audit trail is append-only' using errcode = '42501';
    end $$;
    create trigger audit_is_append_only before update or delete or truncate on audit_events
      for each statement execute function audit_is_append_only();
    alter table audit_events enable always trigger audit_is_append_only;

    create table notifications (
      id uuid primary key,
      user_id uuid not null references users on delete cascade,
      run_id uuid not null references operation_runs,
      kind text not null,
      content jsonb not null,
      created_at timestamptz not null default clock_timestamp(),
      read_at timestamptz,
      unique (user_id, run_id, kind)
    );
    create index notifications_user_idx on notifications (user_id, id desc);
    create index notifications_unread_idx on notifications (user_id) where read_at is null;

    create table inventory_items (
      id uuid primary key,
      tenant_id uuid not null references tenants on delete cascade,
      type text not null,
      provider_id text not null,
      name text not null,
      odata_type text not null,
      payload jsonb not null,
      hash text not null,
      first_seen_at timestamptz not null,
      first_seen_run_id uuid not null,
      changed_at timestamptz not null,
      changed_run_id uuid not null,
      last_seen_at timestamptz not null,
      last_seen_run_id uuid not null,
      last_seen_token bigint not null,
      gone_since timestamptz,
      gone_run_id uuid,
      unique (tenant_id, type, provider_id)
    );

    create table worker_pools (
      pool_id text primary key,
      host text not null,
      started_at timestamptz not null default clock_timestamp(),
      last_heartbeat_at timestamptz not null default clock_timestamp(),
      stopped_at timestamptz
    );

    create table sessions (
      sid text primary key,
      sess json not null,
      expire timestamp(6) not null
    );
    create index sessions_expire_idx on sessions (expire);

    create table sign_in_limits (
      key text primary key,
      points integer not null default 0,
      expire bigint
    );
    create index sign_in_limits_expire_idx on sign_in_limits (expire);
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
