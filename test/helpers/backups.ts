import type { Db } from "../../server/db/database.ts";
import type { DirectoryDefinition } from "../../server/demo/sandbox/directories.ts";
import { loadViewer, type Viewer } from "../../server/domain/authority/viewer.ts";
import { requestBackup } from "../../server/domain/backups/requestBackup.ts";
import { storeCredential } from "../../server/domain/connections/storeCredential.ts";
import type { RequestOutcome } from "../../server/domain/operations/requestRun.ts";
import { defaultOptions, type RestoreOptions } from "../../server/domain/restores/options.ts";
import { type PlanRow, planRowColumns } from "../../server/domain/restores/planRow.ts";
import { requestPreview } from "../../server/domain/restores/requestPreview.ts";
import { requestRestore } from "../../server/domain/restores/requestRestore.ts";
import { type PolicyType, policyTypes } from "../../server/provider/policyTypes.ts";
import { createConnection, createTenant, type TestTenant, type TestUser } from "./factories.ts";
import type { Installation } from "./installation.ts";
import { grantedRoles, type Northwind } from "./northwind.ts";
import { credentialKeys, drainQueue } from "./queue.ts";

const app = { clientId: "countersign-client", secret: "a-valid-secret", secretState: "valid" } as const;
const expiresInHours = 24;

/** Starts a tenant's directory afresh, with only what the case is about. */
export async function putDirectory(
  { control }: Pick<Installation, "control">,
  tenant: TestTenant,
  given: Partial<DirectoryDefinition> & { roles?: string[] } = {},
): Promise<void> {
  const { roles = grantedRoles, ...definition } = given;
  await control.putDirectory({
    directoryId: tenant.directoryId,
    displayName: tenant.name,
    apps: [{ ...app, roles }],
    policies: 0,
    ...definition,
  });
}

/** Another tenant of the workspace, connected and with an empty directory. */
export async function addTenant(
  installation: Pick<Installation, "db" | "control">,
  { northwind }: Northwind,
  name = "Fabrikam",
): Promise<TestTenant> {
  const { db } = installation;
  const tenant = await createTenant(db, { workspace: northwind, name });
  const { id: connectionId } = await createConnection(db, { tenant });
  const proof = { kind: "secret", secret: app.secret } as const;
  await db.transaction((tx) => storeCredential(tx, credentialKeys, { connectionId, version: 1, proof }));
  await putDirectory(installation, tenant);
  return tenant;
}

export async function viewerOf(db: Db, { northwind }: Northwind, user: TestUser): Promise<Viewer> {
  const viewer = await loadViewer(db, user.id, northwind.id);
  if (viewer === undefined) throw new Error(`${user.name} sees nothing.`);
  return viewer;
}

/** Backs up as Olivia; returns the id of the run and of its set. */
export async function backUp(
  installation: Installation,
  world: Northwind,
  types: readonly PolicyType[] = policyTypes,
  tenant = world.contoso,
): Promise<string> {
  const runId = await askForBackup(installation, world, types, tenant);
  await drainQueue(installation.worker);
  return runId;
}

/** Asks for a backup as Olivia, without working it off. */
export async function askForBackup(
  { db }: Pick<Installation, "db">,
  world: Northwind,
  types: readonly PolicyType[] = policyTypes,
  tenant = world.contoso,
): Promise<string> {
  const viewer = await viewerOf(db, world, world.olivia);
  const asked = { tenantId: tenant.id, types, requestKey: crypto.randomUUID(), expiresInHours, force: true };
  const outcome = await requestBackup(db, viewer, asked);
  if (outcome.kind === "identical") throw new Error("An identical run is open.");
  return storedRun(outcome);
}

export type GivenPreview = {
  setId: string;
  tenant?: TestTenant;
  types?: readonly PolicyType[];
  itemIds?: readonly string[];
  options?: Partial<RestoreOptions>;
};

/** Previews as Olivia; returns the id of the run and of its plan. */
export async function preview(
  installation: Installation,
  world: Northwind,
  given: GivenPreview,
): Promise<string> {
  const runId = await askForPreview(installation, world, given);
  await drainQueue(installation.worker);
  return runId;
}

/** Asks for a preview as Olivia, without working it off. */
export async function askForPreview(
  { db }: Pick<Installation, "db">,
  world: Northwind,
  given: GivenPreview,
): Promise<string> {
  const viewer = await viewerOf(db, world, world.olivia);
  const { setId, tenant = world.contoso, types = policyTypes, itemIds = null } = given;
  const asked = { setId, tenantId: tenant.id, types, itemIds, requestKey: crypto.randomUUID() };
  const options = { ...defaultOptions, ...given.options };
  return storedRun(await requestPreview(db, viewer, { ...asked, options, expiresInHours }));
}

/** Confirms a preview, as Olivia unless told otherwise, without working it off. */
export async function confirm(
  { db }: Pick<Installation, "db">,
  world: Northwind,
  planId: string,
  initiator: TestUser = world.olivia,
): Promise<string> {
  const viewer = await viewerOf(db, world, initiator);
  const [plan] = await db.query<{ digest: string; tenantName: string }>(
    `select p.digest, t.name as "tenantName" from restore_plans p
     join tenant_profiles t on t.tenant_id = p.tenant_id where p.id = $1`,
    [planId],
  );
  if (plan === undefined) throw new Error(`There is no plan ${planId}.`);
  const asked = { planId, ...plan, reason: "put back", requestKey: crypto.randomUUID(), expiresInHours };
  return storedRun(await requestRestore(db, viewer, asked));
}

/** Confirms a preview as Olivia and carries it out. */
export async function restore(installation: Installation, world: Northwind, planId: string): Promise<string> {
  const runId = await confirm(installation, world, planId);
  await drainQueue(installation.worker);
  return runId;
}

export type PlanRecord = PlanRow & { result: string | null; resultReason: string | null };

export function listPlan(db: Db, planId: string): Promise<PlanRecord[]> {
  return db.query<PlanRecord>(
    `select ${planRowColumns}, i.result, i.result_reason as "resultReason" from restore_items i
     where i.plan_id = $1 order by i.position`,
    [planId],
  );
}

/** The one item of a plan; throws when there is another number of them. */
export async function onlyItem(db: Db, planId: string): Promise<PlanRecord> {
  const [item, ...others] = await listPlan(db, planId);
  if (item === undefined || others.length > 0) throw new Error("The plan does not have one item.");
  return item;
}

function storedRun(outcome: RequestOutcome): string {
  if (outcome.kind !== "stored" || outcome.blocked)
    throw new Error(`The request was not accepted: ${JSON.stringify(outcome)}`);
  return outcome.runId;
}
