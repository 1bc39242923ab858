import { beforeEach, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { inWorkspace, loadViewer, type Viewer } from "../../../server/domain/authority/viewer.ts";
import { cancelRun } from "../../../server/domain/operations/cancelRun.ts";
import type { RunRequest } from "../../../server/domain/operations/freezeRequest.ts";
import { requestUnlessIdentical } from "../../../server/domain/operations/identicalRuns.ts";
import { beginSync } from "../../helpers/begun.ts";
import { createMember, createTenant, type TestUser } from "../../helpers/factories.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, listJobs } from "../../helpers/queue.ts";
import { count } from "../../helpers/records.ts";
import { aRequest } from "../../helpers/requests.ts";

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 1 });
  await installation.db.query("delete from graphile_worker._private_jobs");
});

test("one that waits is offered instead of a second one, and nothing is stored", async () => {
  const { db } = installation;
  const open = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const before = [await count(db, "operation_runs"), (await listJobs(db)).length];
  expect(await ask(world.olivia)).toEqual({ kind: "identical", runId: open });
  expect([await count(db, "operation_runs"), (await listJobs(db)).length]).toEqual(before);
});

test("so is one that is under way", async () => {
  const run = await beginSync(installation, world);
  expect(await ask(world.omar)).toEqual({ kind: "identical", runId: run.id });
});

test("what has ended, is being cancelled or does something else is not identical", async () => {
  const { db, worker } = installation;
  await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await drainQueue(worker);
  await requestAs(db, world.omar, "provider.connection.verify", world.contoso);
  const running = await beginSync(installation, world);
  await cancelRun(db, { runId: running.id, actor: world.omar });
  const less = await ask(world.omar, { target: { types: ["deviceConfigurations"] } });
  expect(less).toMatchObject({ kind: "stored" });
  expect(await ask(world.omar)).toMatchObject({ kind: "stored" });
});

test("one that the person may not see is not offered", async () => {
  const { db } = installation;
  const { northwind: workspace } = world;
  await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await db.query(
    "update roles set capabilities = array_remove(capabilities, 'operations.view') where workspace_id = $1 and key = 'manager'",
    [workspace.id],
  );
  const blind = await createMember(db, { workspace, role: "manager", name: "Bea" });
  expect(await ask(blind)).toMatchObject({ kind: "stored" });
});

test("of two at once the second is offered the first's, and of one sent twice both are the same", async () => {
  const two = await Promise.all([ask(world.omar), ask(world.olivia)]);
  const stored = two.find(({ kind }) => kind === "stored");
  expect(two.map(({ kind }) => kind).sort()).toEqual(["identical", "stored"]);
  expect(two).toContainEqual({ kind: "identical", runId: stored && "runId" in stored ? stored.runId : "" });

  const other = await createTenant(installation.db, { workspace: world.northwind });
  const twice = { tenantId: other.id, requestKey: uuidv7() };
  const [first, again] = await Promise.all([ask(world.omar, twice), ask(world.omar, twice)]);
  expect(first).toMatchObject({ kind: "stored" });
  expect(again).toEqual(first);
});

test("who may not ask for it learns nothing of one that is open", async () => {
  const { db } = installation;
  await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const rita = await createMember(db, { workspace: world.northwind, role: "readonly" });
  expect(await ask(rita)).toMatchObject({ kind: "refused", capability: "inventory.sync" });
});

async function ask(person: TestUser, changed: Partial<RunRequest> = {}) {
  const request = aRequest(world, { initiator: person, requestKey: uuidv7(), ...changed });
  return requestUnlessIdentical(installation.db, request, await viewerOf(person));
}

async function viewerOf(person: TestUser): Promise<Viewer> {
  const viewer = await loadViewer(installation.db, person.id, world.northwind.id);
  const there = viewer === undefined ? undefined : inWorkspace(viewer, world.northwind.id);
  if (there === undefined) throw new Error(`${person.name} is no member.`);
  return there;
}
