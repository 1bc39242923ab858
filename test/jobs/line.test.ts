import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { TaskList } from "graphile-worker";
import { z } from "zod";
import type { WorkerDeps } from "../../jobs/deps.ts";
import { type Perform, withReauthorization } from "../../jobs/withReauthorization.ts";
import { type Db, openDatabase } from "../../server/db/database.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { createConnection, createTenant, type TestTenant } from "../helpers/factories.ts";
import { listAudit } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, makeDoor, until } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeTestWorker } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";
import { aRequest } from "../helpers/requests.ts";

/** Who goes first: what people wait for before timetables, and no tenant before all others. */

const installation = useInstallation();
const operation = "inventory.sync" as const;
/** An installation that lets one run, or two, of a tenant be under way at once. */
const narrow: { one?: Db; two?: Db } = {};
let world: Northwind;
let adatum: TestTenant;

beforeAll(() => {
  const open = (tenantConcurrency: number) =>
    openDatabase({ url: installation.url, max: 20, rules: { writeGateMaxAgeHours: 24, tenantConcurrency } });
  narrow.one = open(1);
  narrow.two = open(2);
});
afterAll(() => Promise.all([narrow.one?.end(), narrow.two?.end()]));

beforeEach(async () => {
  const { db } = installation;
  await db.query("delete from graphile_worker._private_jobs");
  world = await seedNorthwind(installation, { policies: 0 });
  adatum = await createTenant(db, { workspace: world.northwind, name: "Adatum Health" });
  await createConnection(db, { tenant: adatum });
});

test("a tenant with one run does not wait for another's five hundred", async () => {
  const { db, worker } = installation;
  await requestMany(world.contoso, 500);
  const single = await requestAs(db, world.omar, operation, adatum);
  await drainQueue(worker, tasksThat(worker, done));
  const order = await startsInOrder();
  expect(order).toHaveLength(501);
  // Before it may be those that were asked for in the same moment as the first: they did not see each other in
  // the line. Besides as many as are worked on at once.
  expect(order.indexOf(single)).toBeLessThan(inOneMoment + 5);
}, 120_000);

test("control: a queue that is worked off in the order of asking takes it last", async () => {
  const { db, worker } = installation;
  await requestMany(world.contoso, 50);
  const single = await requestAs(db, world.omar, operation, adatum);
  await db.query("update graphile_worker._private_jobs set priority = 0");
  const order: string[] = [];
  const plain: TaskList = {
    [operation]: async (payload) => void order.push(z.object({ runId: z.string() }).parse(payload).runId),
  };
  await drainQueue(worker, plain);
  expect(order.indexOf(single)).toBeGreaterThan(45);
});

test("what a person asked for goes before what the system asked for earlier", async () => {
  const { db, worker } = installation;
  const timetabled = await requestBySystem(world.contoso);
  const asked = await requestAs(db, world.omar, operation, adatum);
  await drainQueue(worker, tasksThat(worker, done), 1);
  expect(await startsInOrder()).toEqual([asked, timetabled]);
});

test("one run over the tenant's number waits, spends nothing, and begins once another has ended", async () => {
  const worker = workerOf(narrow.two);
  const door = makeDoor();
  const [first, second, third] = [await request(), await request(), await request()];
  const elsewhere = await requestAs(installation.db, world.omar, operation, adatum);
  const draining = follow(drainQueue(worker, tasksThat(worker, doneAfter(door))));
  await untilWaiting(third);
  await until(async () => (await getRun(installation.db, elsewhere)).status === "running");
  expect(await statusesOf(first, second, third)).toEqual(["running", "running", "queued"]);
  expect(await getRun(installation.db, third)).toMatchObject({ attempt: 0, fencingToken: "0" });
  expect(await listJobsOf(installation.db, third)).toMatchObject([{ attempts: 0 }]);
  door.open();
  await draining.result;
  expect(await statusesOf(first, second, third, elsewhere)).toEqual(Array(4).fill("completed"));
  expect(
    (await listAudit(installation.db, third)).map(({ action, details }) => [action, details.message]),
  ).toEqual(
    expect.arrayContaining([
      ["run.deferred", "2 runs are under way at the tenant, as many as may be at once"],
    ]),
  );
});

test("runs that begin in one transaction count for each other", async () => {
  const worker = workerOf(narrow.two);
  const runs = await Promise.all(Array.from({ length: 5 }, request));
  const answers = await Promise.all(
    runs.map((runId) => worker.begin({ operation, runId, jobId: `job of ${runId}` })),
  );
  expect(answers.filter(({ kind }) => kind === "authorized")).toHaveLength(2);
  expect(answers.filter(({ kind }) => kind === "deferred")).toHaveLength(3);
});

test("of those in line the one a person asked for is woken first, however late it came", async () => {
  const worker = workerOf(narrow.one);
  const door = makeDoor();
  const first = await request();
  const draining = follow(drainQueue(worker, tasksThat(worker, doneAfter(door))));
  await door.reached;
  const timetabled = await requestBySystem(world.contoso);
  const asked = await request();
  await drainQueue(worker, tasksThat(worker, done));
  expect(await statusesOf(timetabled, asked)).toEqual(["queued", "queued"]);
  door.open();
  await draining.result;
  expect(await startsInOrder()).toEqual([first, asked, timetabled]);
});

test("a run that has to be tried again makes room for the next one meanwhile", async () => {
  const worker = workerOf(narrow.one);
  const failing = await request();
  const next = await request();
  const tasks = tasksThat(worker, async (run) => {
    if (run.id === failing) throw new Error("Not this time.");
    return { outcome: "succeeded" };
  });
  await drainQueue(worker, tasks);
  expect(await getRun(installation.db, failing)).toMatchObject({ status: "queued", attempt: 1 });
  expect(await getRun(installation.db, next)).toMatchObject({ outcome: "succeeded" });
});

const done: Perform = async () => ({ outcome: "succeeded" });

function doneAfter(door: { wait(): Promise<void> }): Perform {
  return async () => {
    await door.wait();
    return { outcome: "succeeded" };
  };
}

function tasksThat(worker: WorkerDeps, perform: Perform): TaskList {
  return { [operation]: withReauthorization(operation, perform).bind(worker) };
}

function workerOf(db: Db | undefined): WorkerDeps {
  if (db === undefined) throw new Error("The narrow installation is there from beforeAll on.");
  return makeTestWorker(db, installation.sandbox.url);
}

function request(): Promise<string> {
  return requestAs(installation.db, world.omar, operation, world.contoso);
}

/** As a timetable's run stands in the queue, without one. */
async function requestBySystem(tenant: TestTenant): Promise<string> {
  const asked = aRequest(world, { tenantId: tenant.id, initiator: null, trigger: "retention" });
  const outcome = await requestRun(installation.db, asked);
  if (outcome.kind !== "stored") throw new Error("The system's request was refused.");
  return outcome.runId;
}

/** How many are asked for at once. */
const inOneMoment = 20;

async function requestMany(tenant: TestTenant, many: number): Promise<void> {
  for (let left = many; left > 0; left -= inOneMoment)
    await Promise.all(
      Array.from({ length: Math.min(inOneMoment, left) }, () =>
        requestAs(installation.db, world.omar, operation, tenant),
      ),
    );
}

async function startsInOrder(): Promise<string[]> {
  const rows = await installation.db.query<{ id: string }>(
    `select id from operation_runs where workspace_id = $1 and started_at is not null order by started_at, id`,
    [world.northwind.id],
  );
  return rows.map(({ id }) => id);
}

async function statusesOf(...runs: string[]): Promise<string[]> {
  return Promise.all(runs.map(async (run) => (await getRun(installation.db, run)).status));
}

async function untilWaiting(run: string): Promise<void> {
  await until(async () => (await getRun(installation.db, run)).waitingReason === "concurrency");
}
