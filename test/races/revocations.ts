import type { Northwind } from "../helpers/northwind.ts";

/** A way of taking authority away, as one SQL statement by hand; every page and job comes down to one of these. */
export type Revocation = {
  sql: string;
  values: (world: Northwind) => unknown[];
  reason: string;
};

export const revocations: Record<string, Revocation> = {
  "membership deleted": {
    sql: "delete from memberships where workspace_id = $1 and user_id = $2",
    values: ({ northwind, omar }) => [northwind.id, omar.id],
    reason: "initiator_not_entitled",
  },
  "account deleted": {
    sql: "delete from users where id = $1",
    values: ({ omar }) => [omar.id],
    reason: "initiator_missing",
  },
  "account disabled": {
    sql: "update users set status = 'disabled' where id = $1",
    values: ({ omar }) => [omar.id],
    reason: "initiator_not_entitled",
  },
  "assignment deleted": {
    sql: "delete from role_assignments where user_id = $1",
    values: ({ omar }) => [omar.id],
    reason: "tenant_not_entitled",
  },
  "assignment ended": {
    sql: "update role_assignments set expires_at = clock_timestamp() where user_id = $1",
    values: ({ omar }) => [omar.id],
    reason: "tenant_not_entitled",
  },
  "role swapped": {
    sql: `update role_assignments set role_id = (select id from roles where workspace_id = $2 and key = 'readonly')
          where user_id = $1`,
    values: ({ omar, northwind }) => [omar.id, northwind.id],
    reason: "missing_capability",
  },
  "capability removed from the role": {
    sql: `update roles set capabilities = array_remove(capabilities, 'inventory.sync')
          where workspace_id = $1 and key = 'operator'`,
    values: ({ northwind }) => [northwind.id],
    reason: "missing_capability",
  },
  "tenant suspended": {
    sql: "update tenants set lifecycle = 'suspended' where id = $1",
    values: ({ contoso }) => [contoso.id],
    reason: "tenant_not_operable",
  },
  "tenant deleted": {
    sql: "delete from tenants where id = $1",
    values: ({ contoso }) => [contoso.id],
    reason: "tenant_missing",
  },
  "connection no longer verified": {
    sql: "update provider_connections set status = 'unverified' where id = $1",
    values: ({ connection }) => [connection.id],
    reason: "provider_connection_invalid",
  },
  "workspace suspended": {
    sql: "update workspaces set status = 'suspended' where id = $1",
    values: ({ northwind }) => [northwind.id],
    reason: "workspace_mismatch",
  },
};
