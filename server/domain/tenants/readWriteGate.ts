import { v7 as uuidv7 } from "uuid";
import type { Reader } from "../../db/database.ts";
import { gatherFacts } from "../authority/gatherFacts.ts";
import type { Viewer } from "../authority/viewer.ts";
import { contractOf } from "../operations/catalog.ts";
import { describeWriteGate, type WriteGate } from "./describeWriteGate.ts";
import type { Tenant } from "./findTenantFor.ts";

/** How the write gate would answer now about a tenant. Takes no locks and promises nothing. */
export async function readWriteGate(
  reader: Reader,
  viewer: Viewer,
  tenant: Pick<Tenant, "id" | "workspaceId" | "connection">,
): Promise<WriteGate> {
  const id = uuidv7();
  const facts = await gatherFacts(
    reader,
    [
      {
        id,
        contract: contractOf("restore.execute"),
        authorityMode: "actor_bound",
        workspaceId: tenant.workspaceId,
        tenantId: tenant.id,
        initiatorId: viewer.user.id,
        connectionId: tenant.connection?.id ?? null,
        requestExpiresAt: new Date(8.64e15),
        targetIntact: true,
        writeRoles: [],
        hasBegun: false,
        backupSetId: null,
        plan: null,
        selection: null,
        tenantIds: [],
        scheduleId: null,
      },
    ],
    "request",
  );
  const found = facts.get(id);
  if (found === undefined) throw new Error("The facts about a tenant were not found.");
  return describeWriteGate(found);
}
