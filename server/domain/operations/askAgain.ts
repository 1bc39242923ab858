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
 * again. Null for those that work on a selection: that is chosen and confirmed anew, on the page of what it is of.
 */
export function operationAgain(operation: OperationName): OperationName | null {
  switch (operation) {
    case "restore.execute":
      return "restore.preview";
    case "provider.connection.verify":
    case "inventory.sync":
    case "backup.create":
    case "restore.preview":
      return operation;
    case "tenants.bulk_sync":
    case "policies.bulk_assign":
    case "policies.bulk_delete":
    case "backups.bulk_delete":
      return null;
  }
}

/**
 * Freezes anew what a run was asked to do, from its own choices and what is there now. Null when that cannot be
 * told any more: the release no longer has the operation or any of its types, or the preview it carried out is
 * gone.
 */
export async function askAgain(reader: Reader, run: Asked): Promise<Again | null> {
  if (!isOperationName(run.operation)) return null;
  const operation = operationAgain(run.operation);
  if (operation === null) return null;
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
