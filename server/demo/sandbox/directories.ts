import { z } from "zod";
import type { JsonObject, PolicyType } from "../../provider/port.ts";
import { type FaultSwitch, makeFaultSwitch } from "./faultSwitch.ts";
import { generatePolicies } from "./policies.ts";

const defaultPolicyCount = 40;
const defaultTokenSeconds = 3_600;

export const appDefinition = z.object({
  clientId: z.string().min(1),
  secret: z.string().min(1),
  secretState: z.enum(["valid", "expired"]),
  /** Granted application permissions; a token carries those of the moment it was issued. */
  roles: z.array(z.string()),
});

export const directoryDefinition = z.object({
  directoryId: z.string().min(1),
  displayName: z.string().min(1),
  apps: z.array(appDefinition),
  /** How many policies to generate, over all types. */
  policies: z.int().min(0).max(100_000).default(defaultPolicyCount),
  tokenSeconds: z.int().min(1).default(defaultTokenSeconds),
});

export type AppDefinition = z.infer<typeof appDefinition>;
export type DirectoryDefinition = z.input<typeof directoryDefinition>;

export type Directory = {
  directoryId: string;
  displayName: string;
  tokenSeconds: number;
  apps: Map<string, AppDefinition>;
  policies: Record<PolicyType, Map<string, JsonObject>>;
  faults: FaultSwitch;
  /** Tokens of an earlier generation are no longer accepted. */
  tokenGeneration: number;
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
export function regeneratePolicies(directoryId: string, count: number): Directory["policies"] {
  const generated = generatePolicies(directoryId, count);
  return {
    deviceConfigurations: keyById(generated.deviceConfigurations),
    deviceCompliancePolicies: keyById(generated.deviceCompliancePolicies),
    configurationPolicies: keyById(generated.configurationPolicies),
  };
}

function makeDirectory(definition: z.infer<typeof directoryDefinition>): Directory {
  const { directoryId, displayName, tokenSeconds } = definition;
  return {
    directoryId,
    displayName,
    tokenSeconds,
    apps: new Map(definition.apps.map((app) => [app.clientId, app])),
    policies: regeneratePolicies(directoryId, definition.policies),
    faults: makeFaultSwitch(),
    tokenGeneration: 1,
  };
}

function keyById(policies: JsonObject[]): Map<string, JsonObject> {
  return new Map(policies.map((policy) => [String(policy.id), policy]));
}
