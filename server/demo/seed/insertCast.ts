import type { Tx } from "../../db/database.ts";
import type { CredentialKey } from "../../domain/connections/sealing.ts";
import { storeCredential } from "../../domain/connections/storeCredential.ts";
import { hashPassword } from "../../domain/people/passwords.ts";
import { password, people, roles, tenants, workspaces } from "./cast.ts";
import { grantedRolesOf, secretOf } from "./directories.ts";
import { idOf } from "./ids.ts";

/** Workspaces, people, roles, tenants and their connections, in the caller's transaction. */
export async function insertCast(tx: Tx, keys: readonly CredentialKey[], verifiedAt: Date): Promise<void> {
  await insertWorkspaces(tx);
  await insertTenants(tx);
  await insertPeople(tx, await hashPassword(password));
  await insertConnections(tx, verifiedAt);
  for (const { lifecycle, connection, ...tenant } of tenants) {
    // Archiving erases credentials.
    if (lifecycle === "archived") continue;
    const { id: connectionId, version } = connection;
    const proof = { kind: "secret", secret: secretOf(tenant) } as const;
    await storeCredential(tx, keys, { connectionId, version, proof });
  }
}

async function insertWorkspaces(tx: Tx): Promise<void> {
  await tx.query(
    `insert into workspaces (id, slug, name)
     select id, slug, name from jsonb_to_recordset($1::jsonb) as w (id uuid, slug text, name text)`,
    [JSON.stringify(workspaces)],
  );
  await tx.query(
    `insert into roles (id, workspace_id, key, name, capabilities, built_in)
     select id, (workspace ->> 'id')::uuid, key, name, capabilities, "builtIn" from jsonb_to_recordset($1::jsonb)
       as r (id uuid, workspace jsonb, key text, name text, capabilities text[], "builtIn" boolean)`,
    [JSON.stringify(roles)],
  );
}

async function insertTenants(tx: Tx): Promise<void> {
  await tx.query(
    `with given as (
       select * from jsonb_to_recordset($1::jsonb)
         as t (id uuid, workspace jsonb, name text, "directoryId" uuid, lifecycle text)
     ), made as (
       insert into tenants (id, workspace_id, directory_id, lifecycle)
       select id, (workspace ->> 'id')::uuid, "directoryId", lifecycle from given
       returning id
     )
     insert into tenant_profiles (tenant_id, name) select id, name from made join given using (id)`,
    [JSON.stringify(tenants)],
  );
}

async function insertPeople(tx: Tx, passwordHash: string): Promise<void> {
  const given = JSON.stringify(people.map(({ id, name, email }) => ({ id, name, email })));
  await tx.query(
    `with given as (select * from jsonb_to_recordset($1::jsonb) as p (id uuid, name text, email text)),
       made as (insert into users (id, email) select id, email from given returning id),
       secrets as (insert into user_credentials (user_id, password_hash) select id, $2 from made)
     insert into user_profiles (user_id, name) select id, name from made join given using (id)`,
    [given, passwordHash],
  );
  const assignments = people.flatMap(({ id, email, holds }) =>
    holds === null
      ? []
      : [
          {
            id: idOf("assignment", email),
            user_id: id,
            workspace_id: holds.role.workspace.id,
            role_id: holds.role.id,
            tenant_id: holds.tenant?.id ?? null,
          },
        ],
  );
  await tx.query(
    `with given as (
       select * from jsonb_to_recordset($1::jsonb)
         as a (id uuid, user_id uuid, workspace_id uuid, role_id uuid, tenant_id uuid)
     ), made as (
       insert into memberships (workspace_id, user_id) select workspace_id, user_id from given
       returning workspace_id, user_id
     )
     insert into role_assignments (id, workspace_id, user_id, role_id, tenant_id)
     select id, workspace_id, user_id, role_id, tenant_id from given join made using (workspace_id, user_id)`,
    [JSON.stringify(assignments)],
  );
}

async function insertConnections(tx: Tx, verifiedAt: Date): Promise<void> {
  await tx.query(
    `insert into provider_connections (id, tenant_id, client_id, status, credential_version, verified_at,
       verified_version, granted_roles)
     select id, tenant_id, client_id, status, version, case when status = 'verified' then $2::timestamptz end,
       case when status = 'verified' then version end, case when status = 'verified' then granted_roles else '{}' end
     from jsonb_to_recordset($1::jsonb) as c (id uuid, tenant_id uuid, client_id text, status text,
       version integer, granted_roles text[])`,
    [
      JSON.stringify(
        tenants.map((tenant) => {
          const { clientId, ...connection } = tenant.connection;
          return {
            ...connection,
            tenant_id: tenant.id,
            client_id: clientId,
            granted_roles: grantedRolesOf(tenant),
          };
        }),
      ),
      verifiedAt,
    ],
  );
}
