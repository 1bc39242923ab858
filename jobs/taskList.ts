import type { Task } from "graphile-worker";
import { type OperationName, operationNames } from "../server/domain/operations/catalog.ts";
import type { WorkerDeps } from "./deps.ts";
import { connectionVerify } from "./tasks/connectionVerify.ts";
import { inventorySync } from "./tasks/inventorySync.ts";
import type { ReauthorizedTask } from "./withReauthorization.ts";

/** Every task there is, by operation. One that is not made by `withReauthorization` does not compile. */
const tasks: Record<OperationName, ReauthorizedTask> = {
  "provider.connection.verify": connectionVerify,
  "inventory.sync": inventorySync,
};

export function makeTaskList(deps: WorkerDeps): Record<string, Task> {
  return Object.fromEntries(operationNames.map((name) => [name, tasks[name].bind(deps)]));
}
