import type { Db } from "../../server/db/database.ts";
import {
  type AuthorityMode,
  lifecycles,
  type OperationContract,
  operableClasses,
} from "../../server/domain/authority/contract.ts";
import type { ReasonCode } from "../../server/domain/authority/reasons.ts";
import type { OperationName } from "../../server/domain/operations/catalog.ts";
import type { Northwind } from "./northwind.ts";

/** When a run loses its authority: before it begins, between two effects, or between two attempts. */
export const moments = ["begin", "midRun", "retry"] as const;
export type Moment = (typeof moments)[number];

export type Denial = {
  /** Whether a run of an operation with this contract, asked for in this mode, can be denied so. */
  concerns(contract: OperationContract, mode: AuthorityMode): boolean;
  moments: readonly Moment[];
  /** Makes it so, as one statement by hand; null while no operation of the catalog is concerned. */
  bring: ((contract: OperationContract) => { sql: string; values: (world: Northwind) => unknown[] }) | null;
};

const everyRun = () => true;
const peoplesRuns = (_contract: OperationContract, mode: AuthorityMode) => mode === "actor_bound";

/** Every reason code and how a run comes by it. A new code without a case does not compile. */
export const denialCases = {
  workspace_mismatch: {
    concerns: everyRun,
    moments,
    bring: () => ({
      sql: "update workspaces set status = 'suspended' where id = $1",
      values: ({ northwind }) => [northwind.id],
    }),
  },
  initiator_missing: {
    concerns: peoplesRuns,
    moments,
    bring: () => ({ sql: "delete from users where id = $1", values: ({ omar }) => [omar.id] }),
  },
  initiator_not_entitled: {
    concerns: peoplesRuns,
    moments,
    bring: () => ({
      sql: "delete from memberships where workspace_id = $1 and user_id = $2",
      values: ({ northwind, omar }) => [northwind.id, omar.id],
    }),
  },
  tenant_missing: {
    concerns: everyRun,
    moments,
    bring: () => ({ sql: "delete from tenants where id = $1", values: ({ contoso }) => [contoso.id] }),
  },
  tenant_not_entitled: {
    concerns: peoplesRuns,
    moments,
    bring: () => ({
      sql: "delete from role_assignments where user_id = $1",
      values: ({ omar }) => [omar.id],
    }),
  },
  missing_capability: {
    concerns: peoplesRuns,
    moments,
    bring: ({ capability }) => ({
      sql: "update roles set capabilities = array_remove(capabilities, $2) where workspace_id = $1",
      values: ({ northwind }) => [northwind.id, capability],
    }),
  },
  system_authority_not_allowed: {
    // Only an operation that does not consent; a catalog change, not one of the world, takes consent away.
    concerns: ({ authorityModes }) => !authorityModes.includes("system_authority"),
    moments: ["begin"],
    bring: null,
  },
  tenant_not_operable: {
    concerns: ({ operability }) => lifecyclesRefusing(operability).length > 0,
    moments,
    bring: ({ operability }) => ({
      sql: "update tenants set lifecycle = $2 where id = $1",
      values: ({ contoso }) => [contoso.id, lifecyclesRefusing(operability).at(-1)],
    }),
  },
  provider_connection_invalid: {
    concerns: ({ prerequisites }) => prerequisites.length > 0,
    moments,
    bring: ({ prerequisites }) => ({
      sql: prerequisites.includes("connection_verified")
        ? "update provider_connections set status = 'invalid', cause = 'refused' where id = $1"
        : "delete from provider_connections where id = $1",
      values: ({ connection }) => [connection.id],
    }),
  },
  write_gate_blocked: {
    // No operation writes at the provider yet. The first one that does makes the suite ask for its case.
    concerns: ({ prerequisites }) => prerequisites.includes("write_gate"),
    moments,
    bring: null,
  },
  execution_prerequisite_invalid: {
    concerns: everyRun,
    // "Do not start after": what began in time goes on, but every attempt begins.
    moments: ["begin", "retry"],
    bring: () => ({
      sql: "update operation_runs set expires_at = now() where tenant_id = $1",
      values: ({ contoso }) => [contoso.id],
    }),
  },
} satisfies Record<ReasonCode, Denial>;

function lifecyclesRefusing(operability: OperationContract["operability"]) {
  return lifecycles.filter((lifecycle) => {
    const operable: readonly string[] = operableClasses[lifecycle];
    return !operable.includes(operability);
  });
}

/** The request at which a run of each operation is met in the middle: after its first effects, if it can. */
export const midway = {
  "provider.connection.verify": { path: "/organization", effectsBefore: 0 },
  "inventory.sync": { path: "/deviceCompliancePolicies", effectsBefore: 2 },
} satisfies Record<OperationName, { path: string; effectsBefore: number }>;

export async function bring(db: Db, world: Northwind, denial: Denial, contract: OperationContract) {
  const way = denial.bring?.(contract);
  if (way === undefined) throw new Error("There is no way yet to bring this denial about: write its case.");
  await db.query(way.sql, way.values(world));
}
