import { afterEach, expect, test } from "@jest/globals";
import { confirm } from "../helpers/backups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { until } from "../helpers/interleaving.ts";
import { requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { type ProductProcess, startProduct } from "../helpers/productProcess.ts";
import { getRun, listActions } from "../helpers/records.ts";
import { isHeld, isWrite, planRestore } from "../races/restoring.ts";

/** What a worker is told by its settings reaches its gates, and it watches what runs, as a process of its own. */

const installation = useInstallation();
const started: ProductProcess[] = [];
afterEach(async () => {
  for (const worker of started.splice(0)) {
    worker.child.kill("SIGKILL");
    await worker.ended;
  }
});

async function startWorker(settings: Record<string, string> = {}): Promise<void> {
  const { url: provider } = installation.sandbox;
  const addresses = { DATABASE_URL: installation.url, GRAPH_URL: provider, LOGIN_URL: provider };
  const worker = startProduct("jobs/worker.ts", { ...addresses, ...settings });
  started.push(worker);
  await worker.says("worker started");
  // A warning at every start would teach people to read over warnings.
  expect(worker.log().filter(({ level }) => level >= 40)).toEqual([]);
}

test("WRITE_GATE_MAX_AGE_HOURS closes the write gate earlier than others would", async () => {
  const { db, sandbox } = installation;
  const world = await seedNorthwind(installation, { policies: 0 });
  const planId = await planRestore(installation, world, 1);
  await db.query(
    "update provider_connections set verified_at = clock_timestamp() - interval '2 hours' where id = $1",
    [world.connection.id],
  );
  // Here a verification may be a day old.
  const run = await confirm(installation, world, planId);
  expect(await getRun(db, run)).toMatchObject({ status: "queued" });
  await startWorker({ WRITE_GATE_MAX_AGE_HOURS: "1" });
  await until(async () => (await getRun(db, run)).status === "completed");
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "write_gate_blocked" });
  expect(sandbox.requests.list(world.contoso.directoryId).filter(isWrite)).toEqual([]);
});

test("TENANT_CONCURRENCY keeps the next run of a tenant waiting", async () => {
  const { db, control } = installation;
  const world = await seedNorthwind(installation, { policies: 3 });
  const hold = { kind: "hold", path: "/" } as const;
  await control.clearRequests();
  await control.setFaults(world.contoso.directoryId, [hold]);
  const first = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await startWorker({ TENANT_CONCURRENCY: "1" });
  await until(async () => isHeld(installation, world, hold));
  const second = await requestAs(db, world.olivia, "inventory.sync", world.contoso);
  await until(async () => (await listActions(db, second)).includes("run.deferred"));
  expect(await getRun(db, second)).toMatchObject({ status: "queued", attempt: 0 });
  await control.clearFaults(world.contoso.directoryId);
  for (const run of [first, second]) await until(async () => (await getRun(db, run)).status === "completed");
});

test("a right that lapses by the clock, of which nobody gives notice, ends a call that hangs", async () => {
  const { db, control, sandbox } = installation;
  const world = await seedNorthwind(installation, { policies: 3 });
  const { directoryId } = world.contoso;
  const hold = { kind: "hold", path: "/deviceCompliancePolicies" } as const;
  await control.clearRequests();
  await control.setFaults(directoryId, [hold]);
  await startWorker();
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await until(async () => isHeld(installation, world, hold));
  // The notice of this very change is looked at while the right is still there.
  await db.query(
    "update role_assignments set expires_at = clock_timestamp() + interval '2 seconds' where user_id = $1",
    [world.omar.id],
  );
  await until(async () => (await getRun(db, run)).status === "completed");
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "tenant_not_entitled" });
  // Not because the call's own time was over: it would have been sent again.
  const calls = sandbox.requests.list(directoryId).filter(({ path }) => path.includes(hold.path));
  expect(calls).toMatchObject([{ broken: true }]);
});
