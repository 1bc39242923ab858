import type { Knex } from "knex";

/** Workspaces, people, roles, tenants, connections. Tables marked A in the handbook hold only what gates read. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table workspaces (
      id uuid primary key,
      slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
      name text not null check (length(name) between 1 and 200),
      status text not null default 'active' check (status in ('active', 'suspended')),
      created_at timestamptz not null default now()
    );

    create table users (
      id uuid primary key,
      email text not null check (email like '%_@_%' and length(email) <= 320),
      status text not null default 'active' check (status in ('active', 'disabled')),
      created_at timestamptz not null default now()
    );
    create unique index users_email_key on users (lower(email));

    create table user_profiles (
      user_id uuid primary key references users on delete cascade,
      name text not null check (length(name) between 1 and 200),
      time_zone text
    );

    create table user_credentials (
      user_id uuid primary key references users on delete cascade,
      password_hash text not null,
      changed_at timestamptz not null default now()
    );

    create table memberships (
      workspace_id uuid not null references workspaces,
      user_id uuid not null references users on delete cascade,
      status text not null default 'active' check (status in ('active', 'suspended')),
      created_at timestamptz not null default now(),
      primary key (workspace_id, user_id)
    );
    create index memberships_user_idx on memberships (user_id);

    create table roles (
      id uuid primary key,
      workspace_id uuid not null references workspaces,
      key text not null check (key ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
      name text not null check (length(name) between 1 and 100),
      capabilities text[] not null,
      built_in boolean not null default false,
      unique (workspace_id, key),
      unique (workspace_id, id)
    );

    create table tenants (
      id uuid primary key,
      workspace_id uuid not null references workspaces,
      directory_id uuid not null,
      lifecycle text not null default 'onboarding'
        check (lifecycle in ('onboarding', 'active', 'suspended', 'offboarding', 'archived')),
      created_at timestamptz not null default now(),
      unique (workspace_id, directory_id)
    );

    create table tenant_profiles (
      tenant_id uuid primary key references tenants on delete cascade,
      name text not null check (length(name) between 1 and 200)
    );
    create index tenant_profiles_name_idx on tenant_profiles (lower(name), tenant_id);

    create table tenant_holds (
      tenant_id uuid primary key references tenants on delete cascade,
      reason text not null check (length(reason) between 1 and 500),
      placed_by uuid,
      placed_by_name text not null,
      placed_at timestamptz not null default now(),
      until timestamptz check (isfinite(until))
    );

    create table role_assignments (
      id uuid primary key,
      workspace_id uuid not null,
      user_id uuid not null,
      role_id uuid not null,
      tenant_id uuid references tenants on delete cascade,
      expires_at timestamptz check (isfinite(expires_at)),
      created_at timestamptz not null default now(),
      foreign key (workspace_id, user_id) references memberships (workspace_id, user_id) on delete cascade,
      foreign key (workspace_id, role_id) references roles (workspace_id, id),
      unique nulls not distinct (workspace_id, user_id, role_id, tenant_id)
    );
    create index role_assignments_user_idx on role_assignments (user_id, workspace_id);
    create index role_assignments_role_idx on role_assignments (role_id);
    create index role_assignments_tenant_idx on role_assignments (tenant_id);

    create table provider_connections (
      id uuid primary key,
      tenant_id uuid not null unique references tenants on delete cascade,
      client_id text not null check (length(client_id) between 1 and 100),
      status text not null default 'unverified' check (status in ('unverified', 'verified', 'invalid')),
      cause text check (length(cause) <= 500),
      verified_at timestamptz,
      credential_version integer not null default 1 check (credential_version > 0),
      verified_version integer,
      credential_expires_at timestamptz,
      granted_roles text[] not null default '{}',
      check (status <> 'verified' or (verified_at is not null and verified_version = credential_version)),
      check ((status = 'invalid') = (cause is not null))
    );

    create table provider_credentials (
      connection_id uuid primary key references provider_connections on delete cascade,
      version integer not null,
      key_id text not null,
      ciphertext bytea not null,
      changed_at timestamptz not null default now()
    );
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
