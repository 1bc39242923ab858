import type { Db } from "../../server/db/database.ts";
import type { SandboxClient } from "../../server/demo/sandbox/client.ts";
import { storeCredential } from "../../server/domain/connections/storeCredential.ts";
import type { OperationName } from "../../server/domain/operations/catalog.ts";
import { type RequestOutcome, requestRun } from "../../server/domain/operations/requestRun.ts";
import { policyTypes, rolesOf } from "../../server/provider/policyTypes.ts";
import {
  createConnection,
  createMember,
  createTenant,
  createWorkspace,
  type TestConnection,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "./factories.ts";
import { credentialKeys } from "./queue.ts";

const clientId = "countersign-client";
const clientSecret = "a-valid-secret";
/** What a tenant's admin grants: everything that reading, writing and verification need. */
export const grantedRoles = [
  ...new Set(policyTypes.flatMap((type) => [...rolesOf[type].read, ...rolesOf[type].write])),
  "Organization.Read.All",
  "Group.Read.All",
];

export type Northwind = {
  northwind: TestWorkspace;
  olivia: TestUser;
  omar: TestUser;
  contoso: TestTenant;
  connection: TestConnection;
};

/** A workspace of its own: an owner, an operator of all tenants, one active tenant with a directory. */
export async function seedNorthwind(
  { db, control }: { db: Db; control: SandboxClient },
  given: {
    policies?: number;
    connection?: "verified" | "unverified" | "invalid";
    omar?: "operator" | "manager";
  } = {},
): Promise<Northwind> {
  const northwind = await createWorkspace(db, { name: "Northwind Managed Services" });
  const olivia = await createMember(db, { workspace: northwind, role: "owner", name: "Olivia Brandt" });
  const omar = await createMember(db, {
    workspace: northwind,
    role: given.omar ?? "operator",
    name: "Omar Haddad",
  });
  const contoso = await createTenant(db, { workspace: northwind, name: "Contoso Retail" });
  const connection = await createConnection(db, {
    tenant: contoso,
    clientId,
    status: given.connection ?? "verified",
  });
  await db.transaction((tx) =>
    storeCredential(tx, credentialKeys, {
      connectionId: connection.id,
      version: 1,
      proof: { kind: "secret", secret: clientSecret },
    }),
  );
  await control.putDirectory({
    directoryId: contoso.directoryId,
    displayName: "Contoso Retail",
    apps: [
      {
        clientId,
        secret: clientSecret,
        secretState: "valid",
        roles: grantedRoles,
      },
    ],
    policies: given.policies ?? 12,
  });
  return { northwind, olivia, omar, contoso, connection };
}

/** Requests as a page would; fails the test when no run was stored. */
export async function requestAs(
  db: Db,
  initiator: TestUser | null,
  operation: OperationName,
  tenant: TestTenant,
): Promise<string> {
  const outcome = await tryRequest(db, initiator, operation, tenant);
  if (outcome.kind !== "stored") throw new Error(`The request was refused: ${outcome.reasonCode}`);
  return outcome.runId;
}

export function tryRequest(
  db: Db,
  initiator: TestUser | null,
  operation: OperationName,
  tenant: TestTenant,
): Promise<RequestOutcome> {
  return requestRun(db, {
    operation,
    workspaceId: tenant.workspaceId,
    tenantId: tenant.id,
    initiator,
    trigger: "page",
    requestKey: null,
    expiresInHours: 24,
  });
}
