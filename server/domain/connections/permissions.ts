import { isGranted, type PolicyType, policyTypes, rolesOf, typeLabels } from "../../provider/policyTypes.ts";
import { contractOf, type OperationName, operationNames } from "../operations/catalog.ts";

/** What one permission is missing for. */
export type MissingRole = { role: string; types: string[] };

/** What an operation needs of the provider, and what of that is not granted. */
export type OperationPermissions = {
  operation: OperationName;
  title: string;
  /** The policy types it can work on, of all there are. */
  possible: number;
  of: number;
  missing: MissingRole[];
};

/** One policy type: the permissions to read and to write it that are not granted. */
export type TypePermissions = { type: PolicyType; label: string; read: string[]; write: string[] };

type Use = "read" | "write";

/** For every operation that works on policies, what is granted and what is missing. */
export function describeOperations(granted: readonly string[]): OperationPermissions[] {
  return operationNames.flatMap((operation) => {
    const use = useOf(operation);
    if (use === null) return [];
    return [
      {
        operation,
        title: contractOf(operation).title,
        possible: policyTypes.filter((type) => missingFor(type, use, granted).length === 0).length,
        of: policyTypes.length,
        missing: listMissing(use, granted),
      },
    ];
  });
}

export function describeTypes(granted: readonly string[]): TypePermissions[] {
  return policyTypes.map((type) => ({
    type,
    label: typeLabels[type],
    read: missingFor(type, "read", granted),
    write: missingFor(type, "write", granted),
  }));
}

/** Every permission that is needed for that use of any type and not granted, with the types it is needed for. */
export function listMissing(use: Use, granted: readonly string[]): MissingRole[] {
  const missing = new Map<string, string[]>();
  for (const type of policyTypes)
    for (const role of missingFor(type, use, granted))
      missing.set(role, [...(missing.get(role) ?? []), typeLabels[type]]);
  return [...missing].map(([role, types]) => ({ role, types }));
}

function missingFor(type: PolicyType, use: Use, granted: readonly string[]): string[] {
  return rolesOf[type][use].filter((role) => !isGranted(role, granted));
}

/** How an operation uses the provider's policies: what passes the write gate writes. Null: not at all. */
function useOf(operation: OperationName): Use | null {
  const { prerequisites } = contractOf(operation);
  if (prerequisites.includes("write_gate")) return "write";
  return prerequisites.includes("connection_verified") ? "read" : null;
}
