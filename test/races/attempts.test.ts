import { beforeEach, expect, test } from "@jest/globals";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { previewRuns } from "../../server/domain/operations/previewRuns.ts";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { createConnection, createTenant, placeHold } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, makeDoor, openSession, untilSomebodyWaits } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, listActions, listDecisions } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

const one = async () => ({ items: 1, counts: {} });

test("an attempt that was presumed dead and comes back can neither act nor end the run", async () => {
  const { db, worker } = installation;
  const zombie = await beginSync(installation, world, "the same job");
  const revived = await worker.begin({
    operation: "inventory.sync",
    runId: zombie.id,
    jobId: "the same job",
  });
  if (revived.kind !== "authorized") throw new Error("The second attempt did not begin.");
  await expect(runEffect(db, zombie, { name: "late", perAttempt: false }, one)).rejects.toThrow(
    "newer attempt",
  );
  expect(await worker.finish({ run: zombie, ending: { outcome: "succeeded" } })).toBe(false);
  expect(await getRun(db, zombie.id)).toMatchObject({ status: "running", attempt: 2, effectsDone: 0 });
  await runEffect(db, revived.run, { name: "in time", perAttempt: false }, one);
  expect(await worker.finish({ run: revived.run, ending: { outcome: "succeeded" } })).toBe(true);
});

test("a new attempt waits for the effect the old one is committing, and then counts it as done", async () => {
  const { db, worker } = installation;
  const old = await beginSync(installation, world, "the same job");
  const door = makeDoor();
  const effect = runEffect(db, old, { name: "once", perAttempt: false }, async () => {
    await door.wait();
    return { items: 1, counts: {} };
  });
  await door.reached;
  const again = follow(worker.begin({ operation: "inventory.sync", runId: old.id, jobId: "the same job" }));
  door.open();
  await effect;
  const answer = await again.result;
  if (answer.kind !== "authorized") throw new Error("The second attempt did not begin.");
  let repeated = 0;
  await runEffect(db, answer.run, { name: "once", perAttempt: false }, async () => {
    repeated += 1;
    return { items: 1, counts: {} };
  });
  expect(repeated).toBe(0);
  expect(await getRun(db, old.id)).toMatchObject({ effectsDone: 1 });
});

test("control: an ending that does not carry the token lets the zombie end the run", async () => {
  const { db, worker } = installation;
  const zombie = await beginSync(installation, world, "the same job");
  await worker.begin({ operation: "inventory.sync", runId: zombie.id, jobId: "the same job" });
  await db.query(
    "update operation_runs set status = 'completed', outcome = 'succeeded', completed_at = now() where id = $1",
    [zombie.id],
  );
  expect(await getRun(db, zombie.id)).toMatchObject({ outcome: "succeeded", attempt: 2, effectsDone: 0 });
});

test("once a hold has returned no run of the tenant begins", async () => {
  const { db, url, worker } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const session = await openSession(url);
  await session.query("begin");
  await session.query(
    "insert into tenant_holds (tenant_id, reason, placed_by_name) values ($1, 'rotation', 'Olivia')",
    [world.contoso.id],
  );
  const beginning = follow(worker.begin({ operation: "inventory.sync", runId: run, jobId: "job" }));
  await untilSomebodyWaits(db);
  await session.query("commit");
  expect(await beginning.result).toEqual({ kind: "deferred" });
  expect(await getRun(db, run)).toMatchObject({ status: "queued", waitingReason: "hold", attempt: 0 });
  await session.end();
});

test("a hold stops nothing that runs", async () => {
  const { db } = installation;
  const run = await beginSync(installation, world);
  await placeHold(db, { tenant: world.contoso });
  await runEffect(db, run, { name: "under way", perAttempt: false }, one);
  expect(await getRun(db, run.id)).toMatchObject({ status: "running", effectsDone: 1 });
});

test("what a preview says is what is then denied", async () => {
  const { db, worker } = installation;
  const doomed = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const fine = await requestAs(db, world.olivia, "inventory.sync", world.contoso);
  await suspend("disabled");
  const preview = await previewRuns(db, [doomed, fine]);
  expect(preview.get(doomed)).toMatchObject({ verdict: "denied", reasonCode: "initiator_not_entitled" });
  expect(preview.get(fine)).toMatchObject({ verdict: "allowed" });
  await drainQueue(worker);
  const [decision] = await listDecisions(db, doomed);
  expect(decision?.checks).toEqual(preview.get(doomed)?.checks);
  expect(await getRun(db, doomed)).toMatchObject({ reasonCode: "initiator_not_entitled" });
  expect(await getRun(db, fine)).toMatchObject({ outcome: "succeeded" });
});

test("a run frozen with another tenant's connection never uses it", async () => {
  const { db, worker } = installation;
  const adatum = await createTenant(db, { workspace: world.northwind });
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  // The connection moves with its tenant's record while the run waits: Contoso gets another one.
  await db.query("delete from provider_connections where id = $1", [world.connection.id]);
  await createConnection(db, { tenant: adatum });
  await createConnection(db, { tenant: world.contoso });
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({
    outcome: "blocked",
    reasonCode: "provider_connection_invalid",
  });
  expect(await installation.control.requests(world.contoso.directoryId)).toEqual([]);
});

test("of two endings at once one wins", async () => {
  const { db } = installation;
  const run = await beginSync(installation, world);
  const ended = await Promise.all(
    Array.from({ length: 6 }, () =>
      db.transaction((tx) => finishRuns(tx, [{ run, ending: { outcome: "succeeded" } }])),
    ),
  );
  expect(ended.filter((ids) => ids.has(run.id))).toHaveLength(1);
  expect((await listActions(db, run.id)).filter((action) => action === "run.succeeded")).toHaveLength(1);
});

async function suspend(status: "active" | "disabled"): Promise<void> {
  await installation.db.query("update users set status = $2 where id = $1", [world.omar.id, status]);
}
