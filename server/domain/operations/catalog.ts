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
} as const satisfies Record<string, OperationContract>;

export type OperationName = keyof typeof catalog;

export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(catalog, name);
}

export const operationNames: readonly OperationName[] = Object.keys(catalog).filter(isOperationName);

export function contractOf(name: OperationName): OperationContract {
  return catalog[name];
}
