import { beforeEach, expect, test } from "@jest/globals";
import { enqueueRuns } from "../../server/domain/operations/enqueue.ts";
import { createWorkspace, placeHold } from "../helpers/factories.ts";
import { listAudit } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listDecisions, listNotifications } from "../helpers/records.ts";

/** A held tenant's run is neither allowed nor denied: it waits, and is judged when it is let go. */

const installation = useInstallation();
let world: Northwind;
const minutes = 60_000;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

test("a held run stays queued and says why, spends no attempt, and is no verdict yet", async () => {
  const { db, control } = installation;
  await placeHold(db, { tenant: world.contoso });
  const run = await meetHold();
  expect(await getRun(db, run)).toMatchObject({
    status: "queued",
    outcome: "pending",
    waitingReason: "hold",
    attempt: 0,
    fencingToken: "0",
    startedAt: null,
    lastError: null,
  });
  expect(await listDecisions(db, run)).toEqual([]);
  expect(await listNotifications(db, run)).toEqual([]);
  // Told once, however often the job looks again.
  await makeJobsDue(db);
  await drainQueue(installation.worker);
  expect((await listAudit(db, run)).map(({ action }) => action)).toEqual(["run.requested", "run.deferred"]);
  expect(await control.requests(world.contoso.directoryId)).toEqual([]);
});

test("its job looks again by itself, as often as it takes, without wearing out", async () => {
  const { db, worker } = installation;
  await placeHold(db, { tenant: world.contoso });
  const run = await meetHold();
  for (let looks = 0; looks < 7; looks += 1) {
    const jobs = await listJobsOf(db, run);
    expect(jobs).toMatchObject([{ attempts: 0, maxAttempts: 25 }]);
    expect(await inMinutes(jobs[0]?.runAt)).toBeGreaterThan(4);
    expect(await inMinutes(jobs[0]?.runAt)).toBeLessThanOrEqual(5);
    await makeJobsDue(db);
    await drainQueue(worker);
  }
  await db.query("delete from tenant_holds where tenant_id = $1", [world.contoso.id]);
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1, waitingReason: null });
});

test("once released and enqueued it runs at once, by one job", async () => {
  const { db, worker } = installation;
  await placeHold(db, { tenant: world.contoso });
  const run = await meetHold();
  await db.transaction(async (tx) => {
    await tx.query("delete from tenant_holds where tenant_id = $1", [world.contoso.id]);
    await enqueueRuns(tx, [run]);
  });
  expect(await listJobsOf(db, run)).toHaveLength(1);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1, waitingReason: null });
});

test("it is judged by what holds when it is released, not by what held when it was asked for", async () => {
  const { db, worker, control } = installation;
  await placeHold(db, { tenant: world.contoso });
  const run = await meetHold();
  await db.query("delete from memberships where user_id = $1", [world.omar.id]);
  await makeJobsDue(db);
  await drainQueue(worker);
  // Still held, so still not denied.
  expect(await getRun(db, run)).toMatchObject({ outcome: "pending", waitingReason: "hold" });
  await db.query("delete from tenant_holds where tenant_id = $1", [world.contoso.id]);
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({
    outcome: "blocked",
    reasonCode: "initiator_not_entitled",
    waitingReason: null,
    startedAt: null,
  });
  expect(await control.requests(world.contoso.directoryId)).toEqual([]);
});

test("a hold that ends soon is looked at again when it ends", async () => {
  const { db, worker } = installation;
  const until = new Date(Date.now() + 2 * minutes);
  await placeHold(db, { tenant: world.contoso, until });
  const run = await meetHold();
  const [job] = await listJobsOf(db, run);
  expect(job?.runAt).toEqual(until);
  await db.query("update tenant_holds set until = now() where tenant_id = $1", [world.contoso.id]);
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
});

test("a tenant's hold in the workspace it moved to is not waited for: the run is blocked at once", async () => {
  const { db, worker } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const elsewhere = await createWorkspace(db);
  await db.query("update tenants set workspace_id = $2 where id = $1", [world.contoso.id, elsewhere.id]);
  await placeHold(db, { tenant: world.contoso, reason: "theirs alone" });
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "workspace_mismatch" });
  expect(JSON.stringify(await listAudit(db, run))).not.toContain("theirs alone");
});

test("a hold that has ended holds nothing", async () => {
  const { db } = installation;
  await placeHold(db, { tenant: world.contoso, until: new Date(Date.now() - minutes) });
  expect(await getRun(db, await meetHold())).toMatchObject({ outcome: "succeeded" });
});

test("a request that expired while it was held is blocked when it is released, and does not fire", async () => {
  const { db, worker, control } = installation;
  await placeHold(db, { tenant: world.contoso });
  const run = await meetHold();
  await db.query("update operation_runs set expires_at = now() where id = $1", [run]);
  await db.query("delete from tenant_holds where tenant_id = $1", [world.contoso.id]);
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({
    outcome: "blocked",
    reasonCode: "execution_prerequisite_invalid",
    startedAt: null,
  });
  expect(await control.requests(world.contoso.directoryId)).toEqual([]);
});

test("a run whose retry is held keeps its attempts and what it had done", async () => {
  const { db, worker, control } = installation;
  const path = "/deviceCompliancePolicies";
  await control.setFaults(world.contoso.directoryId, [{ kind: "status", status: 503, path }]);
  const run = await meetHold();
  await control.clearFaults(world.contoso.directoryId);
  await placeHold(db, { tenant: world.contoso });
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ status: "queued", waitingReason: "hold", attempt: 1 });
  expect(await listJobsOf(db, run)).toMatchObject([{ attempts: 0, maxAttempts: 25 }]);
  await db.query("delete from tenant_holds where tenant_id = $1", [world.contoso.id]);
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 2, nextAttemptAt: null });
});

async function meetHold(): Promise<string> {
  const { db, worker } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await drainQueue(worker);
  return run;
}

/** How far off a time is, by the database's clock. */
async function inMinutes(time: Date | undefined): Promise<number> {
  const [row] = await installation.db.query<{ n: number }>(
    "select extract(epoch from $1::timestamptz - clock_timestamp())::float / 60 as n",
    [time],
  );
  return row?.n ?? Number.NaN;
}
