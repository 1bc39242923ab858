import { z } from "zod";
import { type PolicyType, policyTypes, typeLabels } from "../../provider/policyTypes.ts";

/** What a run was asked to do: what is in it for a reader, and all of it for whoever has to look closer. */
export type ShownTarget = { rows: { label: string; value: string }[]; stored: string };

const Known = z.object({
  types: z.array(z.enum(policyTypes)).optional().catch(undefined),
  tenantIds: z.array(z.string()).optional().catch(undefined),
  setIds: z.array(z.string()).optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
});

/** Null where there is nothing more to say than the operation's name. */
export function describeTarget(target: unknown): ShownTarget | null {
  const stored = JSON.stringify(target, null, 2);
  if (stored === "{}") return null;
  const { types, tenantIds, setIds, reason } = Known.safeParse(target).data ?? {};
  return {
    rows: [
      ...(reason === undefined ? [] : [{ label: "Reason", value: reason }]),
      ...(tenantIds === undefined ? [] : [{ label: "Tenants", value: String(tenantIds.length) }]),
      ...(setIds === undefined ? [] : [{ label: "Backups", value: String(setIds.length) }]),
      ...(types === undefined ? [] : [{ label: "Works on", value: typesInWords(types) }]),
    ],
    stored,
  };
}

export function typesInWords(types: readonly PolicyType[]): string {
  if (types.length === policyTypes.length) return "All kinds of policy";
  return types.map((type) => typeLabels[type]).join(", ");
}
