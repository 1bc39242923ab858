/**
 * The one registry of capabilities. A role is a set of them; a role that names any other is refused. Each
 * has the words a person reads when they lack it (handbook 1, "Capabilities and built-in roles").
 */
export const capabilities = {
  "operations.view": "see operations and their outcomes",
  "tenant.view": "see tenants",
  "inventory.view": "see the inventory",
  "backup.view": "see backups",
  "schedule.view": "see schedules",
  "connection.verify": "verify a tenant's connection",
  "inventory.sync": "sync a tenant's inventory",
  "backup.create": "create backups",
  "restore.preview": "preview a restore",
  "operations.rerun": "run an operation again",
  "operations.cancel": "cancel own operations",
  "operations.cancel_any": "cancel anybody's operations",
  "operations.view_payload": "see what an operation was asked to do in detail",
  "restore.execute": "restore configuration",
  "policy.bulk_assign": "assign policies",
  "policy.bulk_delete": "delete policies",
  "backup.delete": "delete backups",
  "tenant.hold": "hold and release tenants",
  "tenant.manage": "change a tenant's lifecycle",
  "connection.manage": "change a tenant's connection",
  "schedule.manage": "change schedules",
  "audit.view": "see the audit trail",
  "member.view": "see members",
  "member.manage": "change and remove members",
  "role.manage": "change roles",
  "audit.export": "export the audit trail",
  "workspace.manage": "change the workspace",
} as const satisfies Record<string, string>;

export type Capability = keyof typeof capabilities;

export function isCapability(name: string): name is Capability {
  return Object.hasOwn(capabilities, name);
}

const readonly = [
  "operations.view",
  "tenant.view",
  "inventory.view",
  "backup.view",
  "schedule.view",
] as const satisfies Capability[];

const operator = [
  ...readonly,
  "connection.verify",
  "inventory.sync",
  "backup.create",
  "restore.preview",
  "operations.rerun",
  "operations.cancel",
] as const satisfies Capability[];

const manager = [
  ...operator,
  "operations.cancel_any",
  "operations.view_payload",
  "restore.execute",
  "policy.bulk_assign",
  "policy.bulk_delete",
  "backup.delete",
  "tenant.hold",
  "tenant.manage",
  "connection.manage",
  "schedule.manage",
  "audit.view",
  "member.view",
] as const satisfies Capability[];

const owner = [
  ...manager,
  "member.manage",
  "role.manage",
  "audit.export",
  "workspace.manage",
] as const satisfies Capability[];

/** What a new workspace starts with; rows from then on, so no check anywhere asks for a role's name. */
export const builtInRoles: readonly { key: string; name: string; capabilities: readonly Capability[] }[] = [
  { key: "owner", name: "Owner", capabilities: owner },
  { key: "manager", name: "Manager", capabilities: manager },
  { key: "operator", name: "Operator", capabilities: operator },
  { key: "readonly", name: "Read only", capabilities: readonly },
];
