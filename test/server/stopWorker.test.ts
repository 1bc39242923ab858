import { afterEach, expect, test } from "@jest/globals";
import pg from "pg";
import { onceAnswered } from "../../jobs/onceAnswered.ts";
import { freePort } from "../../server/db/embedded.ts";
import { confirm, listPlan } from "../helpers/backups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { until } from "../helpers/interleaving.ts";
import { requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { type ProductProcess, startProduct } from "../helpers/productProcess.ts";
import { getRun, listActions } from "../helpers/records.ts";
import { isHeld, isWrite, planRestore, type } from "../races/restoring.ts";

const installation = useInstallation();
const started: ProductProcess[] = [];
afterEach(async () => {
  for (const worker of started.splice(0)) {
    worker.child.kill("SIGKILL");
    await worker.ended;
  }
});

function startWorker(settings: Record<string, string> = {}): ProductProcess {
  const { url: provider } = installation.sandbox;
  const worker = startProduct("jobs/worker.ts", {
    DATABASE_URL: installation.url,
    GRAPH_URL: provider,
    LOGIN_URL: provider,
    ...settings,
  });
  started.push(worker);
  return worker;
}

test("told to stop, a worker settles the call on the wire, hands its runs back and ends with 0; the next goes on", async () => {
  const { db, control, sandbox } = installation;
  const restoring = await seedNorthwind(installation, { policies: 0 });
  const planId = await planRestore(installation, restoring, 3);
  const syncing = await seedNorthwind(installation, { policies: 330 });
  // The second creation is carried out, and its answer waits; the sync waits in the middle of a listing.
  const answer = { kind: "hold", method: "POST", path: `/${type}`, skip: 2, times: 1, after: true } as const;
  const listing = { kind: "hold", path: "skiptoken" } as const;
  await control.clearRequests();
  await control.setFaults(restoring.contoso.directoryId, [answer]);
  await control.setFaults(syncing.contoso.directoryId, [listing]);
  const restore = await confirm(installation, restoring, planId);
  const sync = await requestAs(db, syncing.omar, "inventory.sync", syncing.contoso);
  const worker = startWorker();
  const { pool = "" } = await worker.says("worker started");
  await until(async () => isHeld(installation, restoring, answer) && isHeld(installation, syncing, listing));

  const ended = worker.stop();
  // Once the runs' time to finish is over, what only reads is handed back; the writing call is waited for.
  await until(async () => (await getRun(db, sync)).status === "queued");
  expect(await getRun(db, restore)).toMatchObject({ status: "running" });
  await control.clearFaults(restoring.contoso.directoryId);
  expect(await ended).toBe(0);

  expect(await getRun(db, sync)).toMatchObject({ status: "queued", attempt: 0, tally: { created: 100 } });
  expect(await getRun(db, restore)).toMatchObject({ status: "queued", attempt: 0, tally: { created: 2 } });
  expect(await listCalls(restore)).toEqual(["done", "done", "done"]);
  expect(await db.query("select 1 from graphile_worker.jobs where locked_at is not null")).toEqual([]);
  const [stopped] = await db.query(
    "select stopped_at is not null as stopped, lost_at from worker_pools where pool_id = $1",
    [pool],
  );
  expect(stopped).toEqual({ stopped: true, lost_at: null });

  await control.clearFaults(syncing.contoso.directoryId);
  startWorker();
  for (const run of [sync, restore]) await until(async () => (await getRun(db, run)).status === "completed");
  expect(await getRun(db, sync)).toMatchObject({ outcome: "succeeded", attempt: 1, tally: { created: 330 } });
  expect(await getRun(db, restore)).toMatchObject({
    outcome: "succeeded",
    attempt: 1,
    tally: { created: 3 },
  });
  expect((await listPlan(db, planId)).map(({ result }) => result)).toEqual(["created", "created", "created"]);
  expect(await listActions(db, restore)).toContain("run.handed_back");
  // Each call was made once: three creations, three assignments.
  const calls = sandbox.requests.list(restoring.contoso.directoryId).filter(isWrite);
  expect(calls).toHaveLength(6);
  expect(await control.listPolicies(restoring.contoso.directoryId, type)).toHaveLength(3);
});

test("told to stop, a worker takes no further jobs", async () => {
  const { db, control } = installation;
  const world = await seedNorthwind(installation, { policies: 3 });
  await control.clearRequests();
  const hold = { kind: "hold", path: "/" } as const;
  await control.setFaults(world.contoso.directoryId, [hold]);
  const first = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const worker = startWorker({ WORKER_CONCURRENCY: "2" });
  await until(async () => isHeld(installation, world, hold));
  const ended = worker.stop();
  await worker.says("worker stopping");
  const second = await requestAs(db, world.olivia, "inventory.sync", world.contoso);
  await control.clearFaults(world.contoso.directoryId);
  expect(await ended).toBe(0);
  expect(await getRun(db, first)).toMatchObject({ status: "completed", outcome: "succeeded" });
  expect(await getRun(db, second)).toMatchObject({ status: "queued", attempt: 0 });
});

test("a worker whose queue ends by itself says so and ends with 1, so that its platform starts it again", async () => {
  const worker = startWorker();
  await worker.says("worker started");
  // What the queue ends of by itself: a later release of it has changed its tables.
  await until(async () => {
    await installation.db.query(`select pg_notify('worker:migrate', '{"breaking": true}')`);
    return worker.log().some(({ msg }) => msg.includes("the queue ended by itself"));
  });
  expect(await worker.ended).toBe(1);
});

test("a worker that no database answers says so, waits, and ends with 0 when it is told to stop", async () => {
  const worker = startWorker({ DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/nothing` });
  await worker.says("the database does not answer: starting once it does");
  expect(await worker.stop()).toBe(0);
});

test("a worker that the database turns away says so and ends with 1", async () => {
  const worker = startWorker({ DATABASE_URL: `${installation.url}_of_somebody_else` });
  await worker.says("the worker could not start");
  expect(await worker.ended).toBe(1);
});

test("a database that does not answer is waited for no longer than is said", async () => {
  const { log } = installation.worker;
  const address = { host: "127.0.0.1", port: await freePort() };
  const client = () => new pg.Client(address).connect();
  const { signal } = new AbortController();
  await expect(onceAnswered(client, { log, signal, patience: 120 })).rejects.toThrow("ECONNREFUSED");
  const wrong = async () => Promise.reject(new Error("not the database"));
  await expect(onceAnswered(wrong, { log, signal, patience: 60_000 })).rejects.toThrow("not the database");
});

async function listCalls(runId: string): Promise<string[]> {
  const rows = await installation.db.query<{ state: string }>(
    "select state from effects where run_id = $1 and kind = 'provider' order by recorded_at",
    [runId],
  );
  return rows.map(({ state }) => state);
}
