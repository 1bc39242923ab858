import { z } from "zod";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import { generateAssignments } from "./assignments.ts";
import { type FaultSwitch, makeFaultSwitch } from "./faultSwitch.ts";
import { type Group, groupDefinition } from "./groups.ts";
import { byType, type Extras, generatePolicies } from "./policies.ts";

const defaultPolicyCount = 40;
const defaultTokenSeconds = 3_600;

export const appDefinition = z.object({
  clientId: z.string().min(1),
  secret: z.string().min(1),
  secretState: z.enum(["valid", "expired"]),
  /** Registered certificates, as PEM: an app may prove itself with the key of any of them. */
  certificates: z.array(z.string()).default([]),
  /** Granted application permissions; a token carries those of the moment it was issued. */
  roles: z.array(z.string()),
});

export const extrasDefinition = z.partialRecord(z.enum(policyTypes), z.int().min(0).max(100_000));

export const directoryDefinition = z.object({
  directoryId: z.string().min(1),
  displayName: z.string().min(1),
  apps: z.array(appDefinition),
  /** How many policies to generate, over the three types that every directory has. */
  policies: z.int().min(0).max(100_000).default(defaultPolicyCount),
  /** How many more to generate of single types. */
  extras: extrasDefinition.default({}),
  /** With groups, most generated policies are assigned to some of them. */
  groups: z.array(groupDefinition).default([]),
  tokenSeconds: z.int().min(1).default(defaultTokenSeconds),
  /** Milliseconds that must be between two requests for Conditional Access; 0 for no limit. */
  conditionalAccessLimit: z.int().min(0).default(0),
  /** Whether the request log keeps what was written. Bodies may hold secrets. */
  keepBodies: z.boolean().default(false),
});

export type AppDefinition = z.input<typeof appDefinition>;
export type DirectoryDefinition = z.input<typeof directoryDefinition>;

/** A policy with everything that belongs to it, and apart from it whom it is assigned to. */
export type StoredPolicy = { payload: JsonObject; assignments: JsonObject[] };
export type StoredPolicies = Record<PolicyType, Map<string, StoredPolicy>>;

export type Directory = {
  directoryId: string;
  displayName: string;
  tokenSeconds: number;
  apps: Map<string, z.infer<typeof appDefinition>>;
  groups: Map<string, Group>;
  extras: Extras;
  policies: StoredPolicies;
  faults: FaultSwitch;
  /** Tokens of an earlier generation are no longer accepted. */
  tokenGeneration: number;
  keepBodies: boolean;
  conditionalAccessLimit: number;
  /** When Conditional Access was last let through, in milliseconds since 1970. */
  conditionalAccessAt: number;
};

export type Directories = {
  find(directoryId: string): Directory | undefined;
  /** Adds a directory, or starts an existing one afresh. */
  put(definition: DirectoryDefinition): void;
  /** Lets every request go that a fault holds back. */
  clearFaults(): void;
};

/** The directories of one sandbox, in memory only. */
export function makeDirectories(definitions: DirectoryDefinition[]): Directories {
  const byId = new Map<string, Directory>();
  const directories: Directories = {
    find: (directoryId) => byId.get(directoryId.toLowerCase()),
    put(definition) {
      const directory = makeDirectory(directoryDefinition.parse(definition));
      const key = definition.directoryId.toLowerCase();
      byId.get(key)?.faults.set([]);
      byId.set(key, directory);
    },
    clearFaults() {
      for (const directory of byId.values()) directory.faults.set([]);
    },
  };
  for (const definition of definitions) directories.put(definition);
  return directories;
}

/** Policies of a directory are seeded by its id, so that two runs of a demo look the same. */
export function regeneratePolicies(
  directoryId: string,
  count: number,
  extras: Extras,
  groups: readonly Group[],
): StoredPolicies {
  const generated = generatePolicies(directoryId, count, extras, groups);
  const filterIds = generated.assignmentFilters.map(({ id }) => String(id));
  return byType((type) => {
    const stored = generated[type].map((payload) => {
      const id = String(payload.id);
      return [id, { payload, assignments: generateAssignments(type, id, groups, filterIds) }] as const;
    });
    return new Map(stored);
  });
}

function makeDirectory(definition: z.infer<typeof directoryDefinition>): Directory {
  const { policies, apps, groups, ...own } = definition;
  return {
    ...own,
    apps: new Map(apps.map((app) => [app.clientId, app])),
    groups: new Map(groups.map((group) => [group.id, group])),
    policies: regeneratePolicies(own.directoryId, policies, own.extras, groups),
    faults: makeFaultSwitch(),
    tokenGeneration: 1,
    conditionalAccessAt: 0,
  };
}
