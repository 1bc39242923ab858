import type { AuthorityMode } from "../../server/domain/authority/contract.ts";
import { type ReasonCode, reasonCodes } from "../../server/domain/authority/reasons.ts";
import { contractOf, type OperationName } from "../../server/domain/operations/catalog.ts";
import type { Denial, Moment } from "./denial.ts";
import { denialCases } from "./denials.ts";

/** The operations by the file that walks them: files run beside each other. */
export const families = {
  connections: ["provider.connection.verify", "inventory.sync"],
  backups: ["backup.create", "restore.preview"],
  restores: ["restore.execute"],
  selections: ["policies.bulk_assign", "policies.bulk_delete"],
  many: ["tenants.bulk_sync", "backups.bulk_delete"],
} as const satisfies Record<string, readonly OperationName[]>;
export type Family = keyof typeof families;

export type Kind = { operation: OperationName; mode: AuthorityMode };
export type MatrixCase = Kind & { code: ReasonCode; way: Denial; moment: Moment };

export function kindsOf(operations: readonly OperationName[]): Kind[] {
  return operations.flatMap((operation) =>
    contractOf(operation).authorityModes.map((mode) => ({ operation, mode })),
  );
}

/** Every operation × every mode × every way to every reason that can apply × every moment at which it can. */
export function casesOf(operations: readonly OperationName[]): MatrixCase[] {
  return operations.flatMap((operation) =>
    modes.flatMap((mode) =>
      reasonCodes.flatMap((code) =>
        waysOf({ operation, mode }, code).flatMap((way) =>
          way.moments.map((moment) => ({ operation, mode, code, way, moment })),
        ),
      ),
    ),
  );
}

const modes: readonly AuthorityMode[] = ["actor_bound", "system_authority"];

/** How a run of this kind can come by a reason code. */
export function waysOf({ operation, mode }: Kind, code: ReasonCode): Denial[] {
  const contract = contractOf(operation);
  const isRefused = !contract.authorityModes.includes(mode);
  const ways: readonly Denial[] = denialCases[code];
  return ways.filter(
    ({ ofRefusedMode = false, concerns }) => ofRefusedMode === isRefused && concerns(contract, mode),
  );
}
