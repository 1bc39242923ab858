import { v7 as uuidv7 } from "uuid";
import type { Reader } from "../../db/database.ts";
import { type Decision, decide } from "../authority/decide.ts";
import { gatherFacts, type Subject } from "../authority/gatherFacts.ts";
import type { Viewer } from "../authority/viewer.ts";
import { contractOf, type OperationName, plainOperations } from "../operations/catalog.ts";
import type { Tenant } from "./findTenantFor.ts";

export type PossibleRequest = { operation: OperationName; decision: Decision };

/**
 * What would be answered if the viewer asked now for each operation there is, by the same rules as a request
 * is (handbook 1, "At request"). Takes no locks and promises nothing: the request itself is decided again.
 */
export async function previewRequests(
  reader: Reader,
  viewer: Viewer,
  tenant: Pick<Tenant, "id" | "workspaceId" | "connection">,
): Promise<PossibleRequest[]> {
  const asked = plainOperations.map((operation) => ({
    operation,
    ...subjectFor(operation, viewer, tenant),
  }));
  const facts = await gatherFacts(reader, asked, "request");
  return asked.flatMap(({ operation, id }) => {
    const known = facts.get(id);
    return known === undefined ? [] : [{ operation, decision: decide(known) }];
  });
}

function subjectFor(
  operation: OperationName,
  viewer: Viewer,
  tenant: Pick<Tenant, "id" | "workspaceId" | "connection">,
): Subject {
  return {
    id: uuidv7(),
    contract: contractOf(operation),
    authorityMode: "actor_bound",
    workspaceId: tenant.workspaceId,
    tenantId: tenant.id,
    initiatorId: viewer.user.id,
    connectionId: tenant.connection?.id ?? null,
    // A request made now has not expired, nor has its target changed.
    requestExpiresAt: new Date(8.64e15),
    targetIntact: true,
    writeRoles: [],
    hasBegun: false,
    backupSetId: null,
    plan: null,
    selection: null,
    tenantIds: [],
    scheduleId: null,
  };
}
