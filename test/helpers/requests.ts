import type { RunRequest } from "../../server/domain/operations/freezeRequest.ts";
import type { Northwind } from "./northwind.ts";

/** A request of the operator's for a sync of the world's tenant; a case says what is different. */
export function aRequest(world: Northwind, changed: Partial<RunRequest> = {}): RunRequest {
  return {
    operation: "inventory.sync",
    workspaceId: world.northwind.id,
    tenantId: world.contoso.id,
    initiator: world.omar,
    trigger: "page",
    requestKey: null,
    expiresInHours: 24,
    ...changed,
  };
}
