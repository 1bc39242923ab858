import type { OperationContract } from "../authority/contract.ts";

/** Every operation there is: what authority it needs. What it does once authorized is in `jobs/tasks/`. */
export const catalog = {
  "provider.connection.verify": {
    title: "Verify connection",
    operability: "verify",
    authorityModes: ["actor_bound", "system_authority"],
    capability: "connection.verify",
    prerequisites: ["connection_exists"],
    changesAuthority: ["connection"],
    maxAttempts: 5,
  },
  "inventory.sync": {
    title: "Sync inventory",
    operability: "sync",
    authorityModes: ["actor_bound", "system_authority"],
    capability: "inventory.sync",
    prerequisites: ["connection_verified"],
    changesAuthority: [],
    maxAttempts: 5,
  },
  "backup.create": {
    title: "Back up policies",
    operability: "backup",
    authorityModes: ["actor_bound", "system_authority"],
    capability: "backup.create",
    prerequisites: ["connection_verified"],
    changesAuthority: [],
    maxAttempts: 5,
  },
  // Reads what is at the target and writes a plan of ours; so it needs what reading needs.
  "restore.preview": {
    title: "Preview restore",
    operability: "sync",
    authorityModes: ["actor_bound"],
    capability: "restore.preview",
    prerequisites: ["connection_verified", "source_exists"],
    changesAuthority: [],
    maxAttempts: 3,
  },
  "restore.execute": {
    title: "Restore policies",
    operability: "write",
    authorityModes: ["actor_bound"],
    capability: "restore.execute",
    prerequisites: ["connection_verified", "write_gate", "source_exists", "preview_fresh"],
    changesAuthority: [],
    maxAttempts: 5,
  },
  // Asks for one run per tenant, each with a gate of its own; what it needs itself is the right at one of them.
  "tenants.bulk_sync": {
    title: "Sync many tenants",
    operability: "sync",
    authorityModes: ["actor_bound", "system_authority"],
    capability: "inventory.sync",
    prerequisites: [],
    changesAuthority: [],
    maxAttempts: 5,
  },
  "policies.bulk_assign": {
    title: "Assign policies",
    operability: "write",
    authorityModes: ["actor_bound"],
    capability: "policy.bulk_assign",
    prerequisites: ["connection_verified", "write_gate", "selection_unchanged"],
    changesAuthority: [],
    maxAttempts: 5,
  },
  "policies.bulk_delete": {
    title: "Delete policies",
    operability: "write",
    authorityModes: ["actor_bound"],
    capability: "policy.bulk_delete",
    prerequisites: ["connection_verified", "write_gate", "selection_unchanged"],
    changesAuthority: [],
    maxAttempts: 5,
  },
  // A restore relies on its backup: so deleting one takes authority away.
  "backups.bulk_delete": {
    title: "Delete backups",
    operability: "own_rows",
    authorityModes: ["actor_bound", "system_authority"],
    capability: "backup.delete",
    prerequisites: [],
    changesAuthority: ["backup"],
    maxAttempts: 5,
  },
} as const satisfies Record<string, OperationContract>;

export type OperationName = keyof typeof catalog;

export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(catalog, name);
}

export const operationNames: readonly OperationName[] = Object.keys(catalog).filter(isOperationName);

export function contractOf(name: OperationName): OperationContract {
  return catalog[name];
}

/** Those that need nothing but a tenant; the others start from what they are about. */
export const plainOperations = [
  "provider.connection.verify",
  "inventory.sync",
  "backup.create",
] as const satisfies readonly OperationName[];

export type PlainOperation = (typeof plainOperations)[number];

export function isPlainOperation(name: string): name is PlainOperation {
  return plainOperations.some((plain) => plain === name);
}
