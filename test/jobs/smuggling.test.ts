import { beforeEach, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import type { OperationName } from "../../server/domain/operations/catalog.ts";
import { listAudit, listEffects, listInventory, listRefusals } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { addRawJob, drainQueue, listJobs } from "../helpers/queue.ts";
import { count, getRun, listDecisions } from "../helpers/records.ts";
import { makeTrustingTasks } from "../helpers/trustingTask.ts";

const installation = useInstallation();
let world: Northwind;
let fabrikam: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
  fabrikam = await seedNorthwind(installation, { policies: 3 });
});

/** Payloads that name a run and bring something along. */
const loaded: Record<string, (run: string) => unknown> = {
  "another tenant's id": (run) => ({ runId: run, tenantId: fabrikam.contoso.id }),
  "another workspace's id": (run) => ({ runId: run, workspaceId: fabrikam.northwind.id }),
  "another actor": (run) => ({ runId: run, initiatorId: fabrikam.olivia.id }),
  "system authority": (run) => ({ runId: run, authorityMode: "system_authority", initiator: null }),
  "another connection": (run) => ({ runId: run, connection: { id: fabrikam.connection.id } }),
  "a target": (run) => ({ runId: run, target: { types: ["deviceConfigurations"] } }),
  "a fencing token": (run) => ({ runId: run, fencingToken: "999" }),
  "a prototype": (run) => JSON.parse(`{"runId": "${run}", "__proto__": {"allowed": true}}`),
};

/** Payloads that are no run's id at all. */
const nonsense: Record<string, (run: string) => unknown> = {
  nothing: () => ({}),
  null: () => null,
  "a list": (run) => [{ runId: run }],
  "an empty list": () => [],
  "a text": (run) => run,
  "a number": () => 7,
  "what is no uuid": () => ({ runId: "1 or 1=1" }),
  "a null id": () => ({ runId: null }),
  "a list of ids": (run) => ({ runId: [run] }),
  "an id under another name": (run) => ({ run_id: run }),
  "a run that does not exist": () => ({ runId: uuidv7() }),
};

describe("a payload that is not exactly a run's id", () => {
  test.each(Object.entries(loaded))("a run's id with %s is refused", async (_name, payloadFor) => {
    const { db, worker, control } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    // Under the run's own key it takes the place of the clean job.
    const job = await addRawJob(db, {
      task: "inventory.sync",
      payload: payloadFor(run),
      key: `run:${run}`,
    });
    await drainQueue(worker);
    expect(await listRefusals(db, job.id)).toMatchObject([
      { workspaceId: world.northwind.id, tenantId: world.contoso.id, actorId: null, outcome: "denied" },
    ]);
    // Refused it was, and yet it could not make the run disappear: a clean job did it, as it was asked for.
    expect(await getRun(db, run)).toMatchObject({
      outcome: "succeeded",
      attempt: 1,
      fencingToken: "1",
      tally: { created: 3 },
    });
    expect(await listDecisions(db, run)).toHaveLength(1);
    expect(await listInventory(db, fabrikam.contoso.id)).toEqual([]);
    expect(await control.requests(fabrikam.contoso.directoryId)).toEqual([]);
    expect(await listJobs(db)).toEqual([]);
  });

  test.each(Object.entries(nonsense))("%s has no effect and is recorded", async (_name, payloadFor) => {
    const { db, worker, control } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await db.query("delete from graphile_worker._private_jobs");
    const [before, runs] = [await count(db, "effects"), await count(db, "operation_runs")];
    const job = await addRawJob(db, { task: "inventory.sync", payload: payloadFor(run) });
    await drainQueue(worker);
    expect(await listRefusals(db, job.id)).toMatchObject([{ workspaceId: null, outcome: "denied" }]);
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 0 });
    expect(await count(db, "effects")).toBe(before);
    expect(await count(db, "operation_runs")).toBe(runs);
    expect(await control.requests(world.contoso.directoryId)).toEqual([]);
    // No retry would make it better.
    expect(await listJobs(db)).toEqual([]);
  });

  test("the same id in capitals is the same run, and no other", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await addRawJob(db, {
      task: "inventory.sync",
      payload: { runId: run.toUpperCase() },
      key: `run:${run}`,
    });
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1, fencingToken: "1" });
  });

  test("control: a task that believes its payload reads and writes at the other workspace's tenant", async () => {
    const { db, worker, control } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const payload = { runId: run, tenantId: fabrikam.contoso.id };
    await addRawJob(db, { task: "inventory.sync", payload, key: `run:${run}` });
    await drainQueue(worker, makeTrustingTasks(worker));
    expect(await listInventory(db, fabrikam.contoso.id)).toHaveLength(3);
    expect((await control.requests(fabrikam.contoso.directoryId)).length).toBeGreaterThan(3);
  });
});

describe("a job of one operation with the run of another", () => {
  const pairs: [run: OperationName, task: OperationName, tally: object][] = [
    ["inventory.sync", "provider.connection.verify", { created: 3, changed: 0, unchanged: 0, gone: 0 }],
    ["provider.connection.verify", "inventory.sync", { verified: 1 }],
  ];

  test.each(pairs)("a run of %s is not done by %s, but by its own task", async (operation, task, tally) => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, operation, world.contoso);
    const job = await addRawJob(db, { task, payload: { runId: run }, key: `run:${run}` });
    await drainQueue(worker);
    expect(await listRefusals(db, job.id)).toHaveLength(1);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1, tally });
    const actions = (await listAudit(db, run)).map(({ action }) => action);
    expect(actions).not.toContain("run.attempt_failed");
    expect(await listEffects(db, run)).toHaveLength((await getRun(db, run)).effectsDone);
  });
});
