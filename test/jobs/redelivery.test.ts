import { beforeEach, describe, expect, test } from "@jest/globals";
import { listAudit, listEffects } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { addRawJob, drainQueue, listJobs } from "../helpers/queue.ts";
import { getRun, listDecisions, listNotifications } from "../helpers/records.ts";
import { makeTrustingTasks } from "../helpers/trustingTask.ts";

/** The queue delivers at least once: what comes again must change nothing. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

describe("a job that is delivered again after its run has ended", () => {
  test.each([
    ["succeeded", async () => {}],
    ["blocked", () => installation.db.query("delete from memberships where user_id = $1", [world.omar.id])],
  ])("does nothing to a run that %s", async (outcome, beforehand) => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await beforehand();
    await drainQueue(worker);
    const before = await everythingAbout(run);
    expect(before.run.outcome).toBe(outcome);
    await addRawJob(db, { task: "inventory.sync", payload: { runId: run } });
    await drainQueue(worker);
    expect(await everythingAbout(run)).toEqual(before);
    expect(await listJobs(db)).toEqual([]);
  });

  test("control: a task that does not look does the work again", async () => {
    const { db, worker, control } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    await control.clearRequests();
    await addRawJob(db, { task: "inventory.sync", payload: { runId: run } });
    await drainQueue(worker, makeTrustingTasks(worker));
    expect((await control.requests(world.contoso.directoryId)).length).toBeGreaterThan(3);
  });
});

describe("a second job of a run that is under way", () => {
  test("is done without a second attempt, and the first goes on", async () => {
    const { db, worker, control, sandbox } = installation;
    const { directoryId } = world.contoso;
    await control.setFaults(directoryId, [{ kind: "hold", path: "deviceCompliancePolicies" }]);
    const held = sandbox.requests.next((request) => request.path.includes("deviceCompliancePolicies"));
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const first = follow(drainQueue(worker));
    await held;
    await addRawJob(db, { task: "inventory.sync", payload: { runId: run } });
    await drainQueue(worker);
    expect({ first: first.done, run: await getRun(db, run) }).toMatchObject({
      first: false,
      run: { status: "running", attempt: 1, fencingToken: "1" },
    });
    await control.clearFaults(directoryId);
    await first.result;
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1, fencingToken: "1" });
  });

  test("is not even given an attempt when both come in the same moment", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const answers = await Promise.all([
      worker.begin({ operation: "inventory.sync", runId: run, jobId: "one" }),
      worker.begin({ operation: "inventory.sync", runId: run, jobId: "two" }),
    ]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(["authorized", "elsewhere"]);
    expect(await getRun(db, run)).toMatchObject({ status: "running", attempt: 1, fencingToken: "1" });
    expect(await listDecisions(db, run)).toHaveLength(1);
  });
});

async function everythingAbout(run: string) {
  const { db, control } = installation;
  return {
    run: await getRun(db, run),
    effects: await listEffects(db, run),
    decisions: await listDecisions(db, run),
    audit: await listAudit(db, run),
    notifications: await listNotifications(db, run),
    requests: await control.requests(world.contoso.directoryId),
  };
}
