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
} as const satisfies Record<string, OperationContract>;

export type OperationName = keyof typeof catalog;

export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(catalog, name);
}

export const operationNames: readonly OperationName[] = Object.keys(catalog).filter(isOperationName);

export function contractOf(name: OperationName): OperationContract {
  return catalog[name];
}
