import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { type Db, openDatabase } from "../../server/db/database.ts";
import { freePort } from "../../server/db/embedded.ts";
import { makeSandboxClient } from "../../server/demo/sandbox/client.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { listInventory } from "../helpers/history.ts";
import { openSession, until, untilSessionsWait } from "../helpers/interleaving.ts";
import { requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { type ProductProcess, startProduct } from "../helpers/productProcess.ts";
import { getRun } from "../helpers/records.ts";
import { isHeld } from "../races/restoring.ts";
import { type Cluster, startCluster } from "./cluster.ts";

/** Web and worker, as processes, while the database is away and after. */

let cluster: Cluster;
let db: Db;
let sandbox: Sandbox;
const started: ProductProcess[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  db = openDatabase({ url: cluster.url, max: 10 });
  sandbox = await startSandbox({ port: 0, directories: [] });
});
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});
afterAll(async () => {
  await sandbox.close();
  await db.end();
  await cluster.remove();
});

test("a worker goes on after the database was away: it says so, its run is tried again and nothing is lost", async () => {
  const control = makeSandboxClient(sandbox.url);
  const world = await seedNorthwind({ db, control }, { policies: 330 });
  await control.clearRequests();
  const listing = { kind: "hold", path: "skiptoken" } as const;
  await control.setFaults(world.contoso.directoryId, [listing]);
  const worker = start("jobs/worker.ts", {
    GRAPH_URL: sandbox.url,
    LOGIN_URL: sandbox.url,
    WORKER_LOST_AFTER_SECONDS: "2",
  });
  await worker.says("worker started");
  const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await until(async () => isHeld({ sandbox }, world, listing));

  await cluster.stop();
  await worker.says("the database does not answer");
  // The run finds out by itself, while there is nobody to tell.
  await control.clearFaults(world.contoso.directoryId);
  await cluster.start();
  await worker.says("the database answers again");
  await until(async () => (await getRun(db, id)).status === "completed");
  expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { created: 330, gone: 0 } });
  const inventory = await listInventory(db, world.contoso.id);
  expect(inventory.filter(({ goneSince }) => goneSince === null)).toHaveLength(330);
  await until(
    async () => (await db.query("select 1 from graphile_worker.jobs where key like 'run:%'")).length === 0,
  );

  // It hears again, of jobs and of changes of authority.
  for (const channel of ["listen authority_changed%", '%listen "jobs:insert"%'])
    await until(
      async () =>
        (await db.query("select 1 from pg_stat_activity where query ilike $1", [channel])).length > 0,
    );
  expect(await worker.stop()).toBe(0);
});

test("a worker that is started while the database is away starts once that is back", async () => {
  await cluster.stop();
  const worker = start("jobs/worker.ts", { GRAPH_URL: sandbox.url, LOGIN_URL: sandbox.url });
  await worker.says("the database does not answer: starting once it does");
  await cluster.start();
  await worker.says("worker started");
  expect(await worker.stop()).toBe(0);
});

test("while the database is away a page says so, web is alive and not ready; then all is as before", async () => {
  const { url } = await startWeb({});
  const ask = await askWithSession(url);
  await cluster.stop();
  const page = await ask();
  expect(page.status).toBe(503);
  expect(page.headers.get("retry-after")).toBe("15");
  expect(await page.text()).toContain("The database does not answer");
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  await cluster.start();
  await until(async () => (await fetch(`${url}/health/ready`)).ok);
  expect((await ask()).status).toBe(200);
});

test("when all connections are taken, who comes next is told so after a while, and web is not ready meanwhile", async () => {
  const { web, url } = await startWeb({ DATABASE_POOL_MAX: "2" });
  const ask = await askWithSession(url);
  const session = await openSession(cluster.url);
  await session.query("begin; lock table sessions in access exclusive mode");
  const waiting = [ask(), ask()];
  await untilSessionsWait(db, 2);
  const [late, ready] = await Promise.all([ask(), fetch(`${url}/health/ready`)]);
  expect(ready.status).toBe(503);
  expect(late.status).toBe(503);
  expect(await late.text()).toContain("has more to do than it can");
  await session.query("rollback");
  await session.end();
  // At least one of them had a connection of its own; web may have been using the other.
  const answers = await Promise.all(waiting);
  expect(answers.map(({ status }) => status)).toContain(200);
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  expect(await web.stop()).toBe(0);
});

async function startWeb(settings: Record<string, string>): Promise<{ web: ProductProcess; url: string }> {
  const port = await freePort();
  const web = start("server/index.ts", { PORT: String(port), ...settings });
  await web.says("web is listening");
  return { web, url: `http://127.0.0.1:${port}` };
}

function start(file: Parameters<typeof startProduct>[0], settings: Record<string, string>): ProductProcess {
  const product = startProduct(file, { DATABASE_URL: cluster.url, ...settings });
  started.push(product);
  return product;
}

/** Asks for a page as a browser that has been here before: its session is looked up. */
async function askWithSession(url: string): Promise<() => Promise<Response>> {
  const cookie = (await fetch(`${url}/sign-in`)).headers.getSetCookie()[0]?.split(";")[0] ?? "";
  return () => fetch(`${url}/sign-in`, { headers: { cookie } });
}
