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
  return kindsOf(operations).flatMap((kind) =>
    reasonCodes.flatMap((code) => {
      const ways: readonly Denial[] = denialCases[code];
      return ways
        .filter((way) => way.concerns(contractOf(kind.operation), kind.mode))
        .flatMap((way) => way.moments.map((moment) => ({ ...kind, code, way, moment })));
    }),
  );
}
