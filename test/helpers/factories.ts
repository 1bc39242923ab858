import { randomBytes, randomUUID } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { Db } from "../../server/db/database.ts";
import { builtInRoles } from "../../server/domain/authority/capabilities.ts";
import type { Lifecycle } from "../../server/domain/authority/contract.ts";
import { hashPassword } from "../../server/domain/people/passwords.ts";
import { policyTypes, rolesOf } from "../../server/provider/policyTypes.ts";

/** Everyone's password, as in the demo. Hashed once per test file: hashing is slow on purpose. */
export const password = "countersign-demo";
const passwordHash = hashPassword(password);

export type TestWorkspace = { id: string; slug: string; name: string };
export type TestUser = { id: string; email: string; name: string };
export type TestTenant = { id: string; workspaceId: string; name: string; directoryId: string };
export type TestConnection = { id: string; tenantId: string };

const tag = () => randomBytes(4).toString("hex");

/** A workspace with the built-in roles. */
export async function createWorkspace(
  db: Db,
  given: { name?: string; status?: "active" | "suspended" } = {},
): Promise<TestWorkspace> {
  const { name = `Workspace ${tag()}`, status = "active" } = given;
  const workspace = { id: uuidv7(), slug: `w-${tag()}`, name };
  await db.transaction(async (tx) => {
    await tx.query("insert into workspaces (id, slug, name, status) values ($1, $2, $3, $4)", [
      workspace.id,
      workspace.slug,
      name,
      status,
    ]);
    await tx.query(
      `insert into roles (id, workspace_id, key, name, capabilities, built_in)
       select id, $1, key, name, capabilities, true
       from jsonb_to_recordset($2::jsonb) as r (id uuid, key text, name text, capabilities text[])`,
      [workspace.id, JSON.stringify(builtInRoles.map((role) => ({ ...role, id: uuidv7() })))],
    );
  });
  return workspace;
}

/** A person who can sign in with `password`; a member of nothing. */
export async function createUser(
  db: Db,
  given: { name?: string; email?: string; status?: "active" | "disabled"; timeZone?: string | null } = {},
): Promise<TestUser> {
  const { name = `Person ${tag()}`, status = "active", timeZone = null } = given;
  const user = { id: uuidv7(), name, email: given.email ?? `person-${tag()}@example.com` };
  const hashed = await passwordHash;
  await db.transaction(async (tx) => {
    await tx.query("insert into users (id, email, status) values ($1, $2, $3)", [
      user.id,
      user.email,
      status,
    ]);
    await tx.query("insert into user_profiles (user_id, name, time_zone) values ($1, $2, $3)", [
      user.id,
      name,
      timeZone,
    ]);
    await tx.query("insert into user_credentials (user_id, password_hash) values ($1, $2)", [
      user.id,
      hashed,
    ]);
  });
  return user;
}

/** A role of the workspace's own. */
export async function createRole(
  db: Db,
  given: { workspace: { id: string }; key: string; capabilities: readonly string[]; name?: string },
): Promise<{ id: string; key: string }> {
  const id = uuidv7();
  await db.transaction((tx) =>
    tx.query("insert into roles (id, workspace_id, key, name, capabilities) values ($1, $2, $3, $4, $5)", [
      id,
      given.workspace.id,
      given.key,
      given.name ?? given.key,
      given.capabilities,
    ]),
  );
  return { id, key: given.key };
}

/** Makes someone a member; `role` null gives no assignment, no `tenant` means all of them. */
export async function addMember(
  db: Db,
  given: {
    workspace: { id: string };
    user: { id: string };
    role: string | null;
    tenant?: { id: string } | null;
    status?: "active" | "suspended";
    expiresAt?: Date | null;
  },
): Promise<void> {
  const { workspace, user, role, tenant = null, status = "active", expiresAt = null } = given;
  await db.transaction(async (tx) => {
    await tx.query(
      `insert into memberships (workspace_id, user_id, status) values ($1, $2, $3)
       on conflict (workspace_id, user_id) do nothing`,
      [workspace.id, user.id, status],
    );
    if (role === null) return;
    const rows = await tx.query(
      `insert into role_assignments (id, workspace_id, user_id, role_id, tenant_id, expires_at)
       select $1, $2, $3, r.id, $5, $6 from roles r where r.workspace_id = $2 and r.key = $4 returning id`,
      [uuidv7(), workspace.id, user.id, role, tenant?.id ?? null, expiresAt],
    );
    if (rows.length === 0) throw new Error(`The workspace has no role ${role}.`);
  });
}

/** A person and their membership in one go. */
export async function createMember(
  db: Db,
  given: Omit<Parameters<typeof addMember>[1], "user"> & Parameters<typeof createUser>[1],
): Promise<TestUser> {
  const { workspace, role, tenant, expiresAt, name, email } = given;
  const user = await createUser(db, { ...(name && { name }), ...(email && { email }) });
  await addMember(db, { workspace, user, role, tenant: tenant ?? null, expiresAt: expiresAt ?? null });
  return user;
}

export async function createTenant(
  db: Db,
  given: { workspace: { id: string }; name?: string; lifecycle?: Lifecycle; directoryId?: string },
): Promise<TestTenant> {
  const { workspace, name = `Tenant ${tag()}`, lifecycle = "active", directoryId = randomUUID() } = given;
  const tenant = { id: uuidv7(), workspaceId: workspace.id, name, directoryId };
  await db.transaction(async (tx) => {
    await tx.query(
      "insert into tenants (id, workspace_id, directory_id, lifecycle) values ($1, $2, $3, $4)",
      [tenant.id, workspace.id, directoryId, lifecycle],
    );
    await tx.query("insert into tenant_profiles (tenant_id, name) values ($1, $2)", [tenant.id, name]);
  });
  return tenant;
}

/** A connection without a stored credential; verified unless said otherwise. */
/** Every permission that reading and writing policies needs. */
const allRoles: readonly string[] = [
  ...new Set(policyTypes.flatMap((type) => [...rolesOf[type].read, ...rolesOf[type].write])),
];

export async function createConnection(
  db: Db,
  given: {
    tenant: { id: string };
    status?: "unverified" | "verified" | "invalid";
    clientId?: string;
    grantedRoles?: readonly string[];
  },
): Promise<TestConnection> {
  const { tenant, status = "verified", clientId = "countersign-client", grantedRoles = allRoles } = given;
  const id = uuidv7();
  await db.transaction((tx) =>
    tx.query(
      `insert into provider_connections (id, tenant_id, client_id, status, cause, verified_at, verified_version,
         granted_roles)
       values ($1, $2, $3, $4, case when $4 = 'invalid' then 'The secret was refused.' end,
         case when $4 = 'verified' then now() end, case when $4 = 'verified' then 1 end, $5)`,
      [id, tenant.id, clientId, status, grantedRoles],
    ),
  );
  return { id, tenantId: tenant.id };
}

export async function placeHold(
  db: Db,
  given: { tenant: { id: string }; reason?: string; by?: TestUser; until?: Date | null },
): Promise<void> {
  const { tenant, reason = "credential rotation", by, until = null } = given;
  await db.transaction((tx) =>
    tx.query(
      `insert into tenant_holds (tenant_id, reason, placed_by, placed_by_name, until) values ($1, $2, $3, $4, $5)`,
      [tenant.id, reason, by?.id ?? null, by?.name ?? "Olivia Brandt", until],
    ),
  );
}

/** A role of the workspace by its key; throws when there is none. */
export async function getRole(db: Db, workspace: { id: string }, key: string): Promise<{ id: string }> {
  const [role] = await db.query<{ id: string }>("select id from roles where workspace_id = $1 and key = $2", [
    workspace.id,
    key,
  ]);
  if (role === undefined) throw new Error(`The workspace has no role ${key}.`);
  return role;
}
