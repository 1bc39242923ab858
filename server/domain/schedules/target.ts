import { z } from "zod";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import { Invalid } from "../errors.ts";
import { contractOf, type OperationName } from "../operations/catalog.ts";

const offered: readonly OperationName[] = [
  "backup.create",
  "inventory.sync",
  "provider.connection.verify",
  "tenants.bulk_sync",
];

/** What a schedule may ask for, the most usual first; consent is the catalog's to give. */
export const schedulableOperations = offered.filter((name) =>
  contractOf(name).authorityModes.includes("system_authority"),
);

/** Whether a schedule of it is for the workspace: which tenants that means is settled each time it comes. */
export function isForAllTenants(operation: string): boolean {
  return operation === "tenants.bulk_sync";
}

const typedOperations: readonly string[] = ["backup.create", "inventory.sync", "tenants.bulk_sync"];

/** Whether the kinds of policy to work on can be chosen. */
export function hasTypes(operation: string): boolean {
  return typedOperations.includes(operation);
}

/** What each run of the schedule is to work on. Throws `Invalid` when nothing was chosen. */
export function targetOf(operation: OperationName, types: readonly string[]): JsonObject {
  if (!hasTypes(operation)) return {};
  const chosen = policyTypes.filter((type) => types.includes(type));
  if (chosen.length === 0) throw new Invalid({ types: "Choose at least one kind of policy." });
  return { types: chosen };
}

const KeptTypes = z.object({ types: z.array(z.enum(policyTypes)) });

/** The kinds of policy in a kept target; empty for an operation that has no choice. */
export function typesIn(target: unknown): PolicyType[] {
  return KeptTypes.safeParse(target).data?.types ?? [];
}
