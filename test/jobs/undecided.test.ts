import { beforeEach, expect, test } from "@jest/globals";
import { placeHold } from "../helpers/factories.ts";
import { listAudit, listEffects, listInventory } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, holdKey } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listDecisions, listNotifications } from "../helpers/records.ts";
import { makeTrustingTasks } from "../helpers/trustingTask.ts";

/** When the gate cannot decide, nothing happens: neither the run, nor a denial. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

test("a gate that never gets its locks lets nothing through, and in the end the run fails", async () => {
  const { db, url, worker, control } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await db.query("update operation_runs set max_attempts = 2 where id = $1", [run]);
  const release = await holdKey(url, "user", world.omar.id);
  await drainQueue(worker);
  const waiting = await getRun(db, run);
  expect(waiting).toMatchObject({
    status: "queued",
    outcome: "pending",
    attempt: 1,
    fencingToken: "0",
    startedAt: null,
  });
  expect(waiting.lastError).toMatch(/could not be decided/);
  const [job] = await listJobsOf(db, run);
  const apart = (job?.runAt.getTime() ?? 0) - (waiting.nextAttemptAt?.getTime() ?? 0);
  expect(Math.abs(apart)).toBeLessThan(1_000);
  await makeJobsDue(db);
  await drainQueue(worker);
  await release();
  expect(await getRun(db, run)).toMatchObject({
    outcome: "failed",
    failureCode: "authority_undecided",
    reasonCode: null,
    attempt: 2,
    startedAt: null,
  });
  // Not decided is not denied.
  expect(await listDecisions(db, run)).toEqual([]);
  expect(await listEffects(db, run)).toEqual([]);
  expect(await control.requests(world.contoso.directoryId)).toEqual([]);
  expect(await listNotifications(db, run)).toMatchObject([{ content: { outcome: "failed" } }]);
  expect(await listJobsOf(db, run)).toEqual([]);
  const actions = (await listAudit(db, run)).map(({ action }) => action);
  expect(actions).toEqual(["run.requested", "run.attempt_failed", "run.attempt_failed", "run.failed"]);
});

test("control: a worker that does not ask goes ahead while the authority is being changed", async () => {
  const { db, url, worker, control } = installation;
  await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const release = await holdKey(url, "user", world.omar.id);
  await drainQueue(worker, makeTrustingTasks(worker));
  await release();
  expect(await listInventory(db, world.contoso.id)).toHaveLength(3);
  expect((await control.requests(world.contoso.directoryId)).length).toBeGreaterThan(3);
});

test("a gate that gets its locks at the next attempt decides then, and one attempt was spent", async () => {
  const { db, url, worker } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const release = await holdKey(url, "connection", world.connection.id);
  await drainQueue(worker);
  await release();
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 2, fencingToken: "1" });
});

test("a held run spends no attempt on a gate that cannot decide, however often it is asked", async () => {
  const { db, url, worker } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await db.query("update operation_runs set max_attempts = 2 where id = $1", [run]);
  await placeHold(db, { tenant: world.contoso });
  const release = await holdKey(url, "user", world.omar.id);
  for (let looks = 0; looks < 3; looks += 1) {
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ status: "queued", waitingReason: "hold", attempt: 0 });
    expect(await listJobsOf(db, run)).toHaveLength(1);
    await makeJobsDue(db);
  }
  await release();
  await db.query("delete from tenant_holds where tenant_id = $1", [world.contoso.id]);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1 });
  expect((await listAudit(db, run)).map(({ action }) => action)).not.toContain("run.attempt_failed");
}, 90_000);

test("an effect whose gate cannot decide does not happen, and what was done before it stays", async () => {
  const { db, url, worker, control, sandbox } = installation;
  const { directoryId } = world.contoso;
  const path = "/deviceCompliancePolicies";
  await control.setFaults(directoryId, [{ kind: "hold", path }]);
  const held = sandbox.requests.next((request) => request.path.includes(path));
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const draining = follow(drainQueue(worker));
  await held;
  const release = await holdKey(url, "tenant", world.contoso.id);
  await control.clearFaults(directoryId);
  await draining.result;
  await release();
  expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1, effectsDone: 4 });
  expect(await listEffects(db, run)).toHaveLength(4);
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 2 });
});
