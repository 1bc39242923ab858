import { beforeEach, describe, expect, test } from "@jest/globals";
import { settleFault } from "../../jobs/settleFault.ts";
import { cancelRun } from "../../server/domain/operations/cancelRun.ts";
import { listEffects } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { addRawJob, drainQueue, listJobs } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";
import { beginRestore, openWriting } from "../helpers/restores.ts";
import { makeTrustingTasks } from "../helpers/trustingTask.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

describe("a cancelled run", () => {
  test("never runs on redelivery", async () => {
    const { db, worker, control } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await cancelRun(db, { runId: run, actor: world.omar });
    for (let delivery = 0; delivery < 2; delivery += 1) {
      await addRawJob(db, { task: "inventory.sync", payload: { runId: run } });
      await drainQueue(worker);
    }
    expect(await getRun(db, run)).toMatchObject({ outcome: "cancelled", attempt: 0, startedAt: null });
    expect(await control.requests(world.contoso.directoryId)).toEqual([]);
    expect(await listJobs(db)).toEqual([]);
  });

  test("control: a task that does not look runs it", async () => {
    const { db, worker, control } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await cancelRun(db, { runId: run, actor: world.omar });
    await drainQueue(worker, makeTrustingTasks(worker));
    expect((await control.requests(world.contoso.directoryId)).length).toBeGreaterThan(3);
  });
});

test("a run under way stops at its worker's next look and keeps what it had done", async () => {
  const { db, worker, control, sandbox } = installation;
  const { directoryId } = world.contoso;
  await control.setFaults(directoryId, [{ kind: "hold", path: "deviceCompliancePolicies" }]);
  const held = sandbox.requests.next((request) => request.path.includes("deviceCompliancePolicies"));
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const work = follow(drainQueue(worker));
  await held;
  const before = await listEffects(db, run);
  expect(await cancelRun(db, { runId: run, actor: world.olivia })).toBe("asked");
  await worker.attempts.recheck(db);
  await work.result;
  expect(await getRun(db, run)).toMatchObject({
    outcome: "cancelled",
    attempt: 1,
    effectsDone: before.length,
  });
  expect(await listEffects(db, run)).toEqual(before);
  expect(before.length).toBeGreaterThan(0);
  await control.clearFaults(directoryId);
});

test("a call on the wire is waited for and recorded before the run ends, and no other follows", async () => {
  const { db, worker, control, sandbox } = installation;
  const { directoryId } = world.contoso;
  const run = await beginRestore(installation, world);
  const writing = openWriting(installation, run);
  await control.setFaults(directoryId, [{ kind: "hold", method: "POST" }]);
  const arrived = sandbox.requests.next(({ method, kind }) => method === "POST" && kind === "graph");
  const call = follow(writing.create("first"));
  await arrived;
  expect(await cancelRun(db, { runId: run.id, actor: world.olivia })).toBe("asked");
  await worker.attempts.recheck(db);
  expect(call.done).toBe(false);
  await control.clearFaults(directoryId);
  expect(await call.result).toMatchObject({ state: "done" });
  const stopped: unknown = await writing.create("second").catch((error: unknown) => error);
  await settleFault(worker, { run, credentialVersion: 1, stopping: false }, stopped);
  expect(await getRun(db, run.id)).toMatchObject({ outcome: "cancelled", effectsDone: 1 });
  const asked = await control.requests(directoryId);
  expect(asked.filter(({ method, kind }) => method === "POST" && kind === "graph")).toHaveLength(1);
});
