import { z } from "zod";
import type { Reader } from "../../db/database.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import { isOperationName, type OperationName } from "./catalog.ts";

/** What asking for a run again asks for now. */
export type Again = { operation: OperationName; target: JsonObject; backupSetId: string | null };

/** The run as far as it matters to asking again. */
export type Asked = { operation: string; target: unknown; backupSetId: string | null };

/**
 * The operation that a rerun of one asks for: a preview is carried out once only, so a restore is previewed
 * again.
 */
export function operationAgain(operation: OperationName): OperationName {
  return operation === "restore.execute" ? "restore.preview" : operation;
}

/** Those that work on many: what is left of them is shown and confirmed anew, on a page of their own. */
const onMany = [
  "tenants.bulk_sync",
  "policies.bulk_assign",
  "policies.bulk_delete",
  "backups.bulk_delete",
] as const satisfies readonly OperationName[];
export type OnMany = (typeof onMany)[number];

export function isOnMany(operation: string): operation is OnMany {
  return onMany.some((name) => name === operation);
}

/**
 * Freezes anew what a run was asked to do, from its own choices and what is there now. Null when that cannot be
 * told any more: the release no longer has the operation or any of its types, or the preview it carried out is
 * gone.
 */
export async function askAgain(reader: Reader, run: Asked): Promise<Again | null> {
  if (!isOperationName(run.operation) || isOnMany(run.operation)) return null;
  const operation = operationAgain(run.operation);
  if (run.operation === "restore.execute") return previewOf(reader, run);
  if (operation === "restore.preview")
    return { operation, target: asJson.parse(run.target), backupSetId: run.backupSetId };
  if (operation === "provider.connection.verify") return { operation, target: {}, backupSetId: null };
  const types = knownTypesOf(run.target);
  return types.length === 0 ? null : { operation, target: { types }, backupSetId: null };
}

const asJson = z.record(z.string(), z.json());

const withTypes = z.object({ types: z.array(z.string()) });

/** Of the types a target names, those that this release has. */
export function knownTypesOf(target: unknown): PolicyType[] {
  const named = withTypes.safeParse(target).data?.types ?? [];
  return policyTypes.filter((type) => named.includes(type));
}

const withPlan = z.object({ planId: z.guid() });

/** The choices of a restore are those of its preview, whose run has the preview's own id. */
async function previewOf(reader: Reader, run: Asked): Promise<Again | null> {
  const planId = withPlan.safeParse(run.target).data?.planId ?? null;
  const [preview] = await reader.query<{ target: unknown; backupSetId: string | null }>(
    `select target, backup_set_id as "backupSetId" from operation_runs
     where id = $1 and operation = 'restore.preview'`,
    [planId],
  );
  if (preview === undefined) return null;
  const { target, backupSetId } = preview;
  return { operation: "restore.preview", target: asJson.parse(target), backupSetId };
}
