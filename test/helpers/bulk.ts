import { freezeSelection } from "../../server/domain/bulk/freezeSelection.ts";
import { requestBulkSync } from "../../server/domain/bulk/requestBulkSync.ts";
import { requestAssignment, requestDeletion } from "../../server/domain/bulk/requestPolicies.ts";
import { findSelectionFor, type PolicyOperation } from "../../server/domain/bulk/selections.ts";
import { digestOfChoice } from "../../server/domain/bulk/shownChoice.ts";
import type { RequestOutcome } from "../../server/domain/operations/requestRun.ts";
import type { JsonObject } from "../../server/provider/port.ts";
import { viewerOf } from "./backups.ts";
import type { TestTenant, TestUser } from "./factories.ts";
import type { Installation } from "./installation.ts";
import { type Northwind, requestAs } from "./northwind.ts";
import { drainQueue } from "./queue.ts";

export const type = "deviceConfigurations";
export const staff = "11111111-0000-4000-8000-000000000001";
export const pilots = "11111111-0000-4000-8000-000000000002";
export const groups = [
  { id: staff, displayName: "All staff" },
  { id: pilots, displayName: "Pilots" },
];
export const to = (groupId: string): JsonObject => ({
  target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId },
});
export const except = (groupId: string): JsonObject => ({
  target: { "@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", groupId },
});

/** A policy at the sandbox; `Policy a` for the id `a`. */
export async function putPolicy(
  { control }: Installation,
  { contoso }: Northwind,
  id: string,
  more: JsonObject = {},
  assignments: JsonObject[] = [],
): Promise<void> {
  const payload = {
    "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
    displayName: `Policy ${id}`,
    description: "as it should be",
    passwordRequired: true,
    ...more,
  };
  await control.putPolicy(contoso.directoryId, type, id, payload, assignments);
}

/** Reads the tenant into the inventory, as Olivia. */
export async function sync({ db, worker }: Installation, world: Northwind): Promise<void> {
  await requestAs(db, world.olivia, "inventory.sync", world.contoso);
  await drainQueue(worker);
}

/** Selects all that the inventory has of the tenant, as Olivia; returns the selection's id and digest. */
export async function select(
  { db }: Installation,
  world: Northwind,
  operation: PolicyOperation,
): Promise<{ selectionId: string; digest: string }> {
  const viewer = await viewerOf(db, world, world.olivia);
  const [row] = await db.query<{ ids: string[] }>(
    "select array_agg(id) as ids from inventory_items where tenant_id = $1 and gone_since is null",
    [world.contoso.id],
  );
  const selectionId = await freezeSelection(db, viewer, operation, { ids: row?.ids ?? [] });
  const selection = await findSelectionFor(db, viewer, selectionId);
  return { selectionId, digest: selection?.digest ?? "" };
}

const confirmed = { tenantName: "Contoso Retail", reason: "clean-up", expiresInHours: 24 };

/** Selects everything and confirms deleting it, as Olivia, without working it off. */
export async function confirmDeletion(installation: Installation, world: Northwind): Promise<string> {
  const selected = await select(installation, world, "policies.bulk_delete");
  const viewer = await viewerOf(installation.db, world, world.olivia);
  const asked = { ...confirmed, ...selected, requestKey: crypto.randomUUID() };
  return storedRun(await requestDeletion(installation.db, viewer, asked));
}

/** Selects everything and confirms assigning it, as Olivia, without working it off. */
export async function confirmAssignment(
  installation: Installation,
  world: Northwind,
  { include = [], exclude = [] }: { include?: string[]; exclude?: string[] },
): Promise<string> {
  const selected = await select(installation, world, "policies.bulk_assign");
  const viewer = await viewerOf(installation.db, world, world.olivia);
  const asked = { ...confirmed, ...selected, include, exclude, requestKey: crypto.randomUUID() };
  return storedRun(await requestAssignment(installation.db, viewer, asked));
}

/** Asks for a sync of these tenants, without working it off. */
export async function requestSyncOf(
  { db }: Installation,
  world: Northwind,
  person: TestUser,
  tenants: readonly TestTenant[],
): Promise<string> {
  const viewer = await viewerOf(db, world, person);
  const ids = tenants.map(({ id }) => id);
  const asked = {
    chosen: { ids },
    digest: digestOfChoice(ids),
    requestKey: crypto.randomUUID(),
    force: true,
  };
  const outcome = await requestBulkSync(db, viewer, { ...asked, expiresInHours: 24 });
  if (outcome.kind === "identical") throw new Error("An identical run is open.");
  return storedRun(outcome);
}

/** What became of each policy of the run's selection, in order. */
export async function resultsOf({ db }: Installation, runId: string): Promise<(string | null)[]> {
  const rows = await db.query<{ result: string | null }>(
    `select i.result from bulk_items i join bulk_selections s on s.id = i.selection_id
     where s.run_id = $1 order by i.position`,
    [runId],
  );
  return rows.map(({ result }) => result);
}

/** The writes that reached the tenant's directory, in order. */
export async function writesAt({ control }: Installation, { contoso }: Northwind) {
  const requests = await control.requests(contoso.directoryId);
  return requests
    .filter(({ method, kind, path }) => method !== "GET" && kind === "graph" && !path.endsWith("/$batch"))
    .map(({ method, path }) => `${method} ${path}`);
}

export function storedRun(outcome: RequestOutcome): string {
  if (outcome.kind !== "stored" || outcome.blocked)
    throw new Error(`The request was not accepted: ${JSON.stringify(outcome)}`);
  return outcome.runId;
}
