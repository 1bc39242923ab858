import type { Task } from "graphile-worker";
import { isOperationName, type OperationName, operationNames } from "../server/domain/operations/catalog.ts";
import type { RecordSettled } from "../server/domain/operations/settleWrite.ts";
import type { WorkerDeps } from "./deps.ts";
import { backupCreate } from "./tasks/backupCreate.ts";
import { backupsBulkDelete } from "./tasks/backupsBulkDelete.ts";
import { connectionVerify } from "./tasks/connectionVerify.ts";
import { inventorySync } from "./tasks/inventorySync.ts";
import { policiesBulkAssign } from "./tasks/policiesBulkAssign.ts";
import { policiesBulkDelete } from "./tasks/policiesBulkDelete.ts";
import { restoreExecute } from "./tasks/restoreExecute.ts";
import { restorePreview } from "./tasks/restorePreview.ts";
import { tenantsBulkSync } from "./tasks/tenantsBulkSync.ts";
import type { ReauthorizedTask } from "./withReauthorization.ts";

/** Every task there is, by operation. One that is not made by `withReauthorization` does not compile. */
const tasks: Record<OperationName, ReauthorizedTask> = {
  "provider.connection.verify": connectionVerify,
  "inventory.sync": inventorySync,
  "backup.create": backupCreate,
  "restore.preview": restorePreview,
  "restore.execute": restoreExecute,
  "tenants.bulk_sync": tenantsBulkSync,
  "policies.bulk_assign": policiesBulkAssign,
  "policies.bulk_delete": policiesBulkDelete,
  "backups.bulk_delete": backupsBulkDelete,
};

/** What a settled call of the operation means for its items; the rescuer asks. Throws for one that never writes. */
export function recorderOf(operation: string): RecordSettled {
  const record = isOperationName(operation) ? tasks[operation].record : null;
  if (record === null) throw new Error(`${operation} has no recorder: it writes nothing at the provider.`);
  return record;
}

export function makeTaskList(deps: WorkerDeps): Record<string, Task> {
  return Object.fromEntries(operationNames.map((name) => [name, tasks[name].bind(deps)]));
}
