import { afterAll, beforeAll } from "@jest/globals";
import type { WorkerDeps } from "../../jobs/deps.ts";
import type { Db } from "../../server/db/database.ts";
import { makeSandboxClient, type SandboxClient } from "../../server/demo/sandbox/client.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { storeCredential } from "../../server/domain/connections/storeCredential.ts";
import type { OperationName } from "../../server/domain/operations/catalog.ts";
import { type RequestOutcome, requestRun } from "../../server/domain/operations/requestRun.ts";
import { type TestDatabase, useDatabase } from "./database.ts";
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
import { credentialKeys, makeTestWorker } from "./queue.ts";

export type Installation = TestDatabase & {
  sandbox: Sandbox;
  control: SandboxClient;
  worker: WorkerDeps;
};

const clientId = "countersign-client";
const clientSecret = "a-valid-secret";
const readRole = "DeviceManagementConfiguration.Read.All";

/** A database, a sandbox provider and the worker's parts, for one test file. */
export function useInstallation(): Installation {
  const database = useDatabase();
  const holder: { sandbox?: Sandbox; worker?: WorkerDeps } = {};
  beforeAll(async () => {
    holder.sandbox = await startSandbox({ port: 0, directories: [] });
    holder.worker = makeTestWorker(database.db, holder.sandbox.url);
  });
  afterAll(async () => {
    await holder.sandbox?.close();
  });
  const filled = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error("The installation is there from beforeAll on.");
    return part;
  };
  return {
    get db() {
      return database.db;
    },
    get url() {
      return database.url;
    },
    get sandbox() {
      return filled(holder.sandbox);
    },
    get control() {
      return makeSandboxClient(filled(holder.sandbox).url);
    },
    get worker() {
      return filled(holder.worker);
    },
  };
}

export type Northwind = {
  northwind: TestWorkspace;
  olivia: TestUser;
  omar: TestUser;
  contoso: TestTenant;
  connection: TestConnection;
};

/** A workspace of its own: an owner, an operator of all tenants, one active tenant with a directory. */
export async function seedNorthwind(
  { db, control }: Pick<Installation, "db" | "control">,
  given: { policies?: number; connection?: "verified" | "unverified" | "invalid" } = {},
): Promise<Northwind> {
  const northwind = await createWorkspace(db, { name: "Northwind Managed Services" });
  const olivia = await createMember(db, { workspace: northwind, role: "owner", name: "Olivia Brandt" });
  const omar = await createMember(db, { workspace: northwind, role: "operator", name: "Omar Haddad" });
  const contoso = await createTenant(db, { workspace: northwind, name: "Contoso Retail" });
  const connection = await createConnection(db, {
    tenant: contoso,
    clientId,
    status: given.connection ?? "verified",
  });
  await db.transaction((tx) =>
    storeCredential(tx, credentialKeys, { connectionId: connection.id, version: 1, clientSecret }),
  );
  await control.putDirectory({
    directoryId: contoso.directoryId,
    displayName: "Contoso Retail",
    apps: [
      {
        clientId,
        secret: clientSecret,
        secretState: "valid",
        roles: [readRole, "Organization.Read.All"],
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
