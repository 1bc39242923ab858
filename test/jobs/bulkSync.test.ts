import { beforeEach, describe, expect, test } from "@jest/globals";
import { openTenantlessRun } from "../../jobs/authorizedRun.ts";
import { createChildren } from "../../server/domain/bulk/createChildren.ts";
import { awaitChildren } from "../../server/domain/operations/awaitChildren.ts";
import { cancelChildren, cancelRun } from "../../server/domain/operations/cancelRun.ts";
import { findRunFor } from "../../server/domain/operations/findRunFor.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { requeueLostRuns } from "../../server/domain/operations/rescueRuns.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { removeMember } from "../../server/domain/people/changeMember.ts";
import { addTenant, putDirectory, viewerOf } from "../helpers/backups.ts";
import { requestSyncOf, storedRun } from "../helpers/bulk.ts";
import { addMember, createUser, placeHold, type TestTenant, type TestUser } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
let tenants: TestTenant[];

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
  tenants = [world.contoso];
  for (const name of ["Fabrikam", "Adatum"]) {
    const tenant = await addTenant(installation, world, name);
    await putDirectory(installation, tenant, { policies: 3 });
    tenants.push(tenant);
  }
});

const request = (person: TestUser = world.omar) => requestSyncOf(installation, world, person, tenants);

type Child = { id: string; tenantId: string; outcome: string; trigger: string; initiatorId: string | null };

function children(parentId: string): Promise<Child[]> {
  return installation.db.query<Child>(
    `select id, tenant_id as "tenantId", outcome, trigger, initiator_id as "initiatorId" from operation_runs
     where parent_run_id = $1 order by id`,
    [parentId],
  );
}

async function outcomesOf(parentId: string): Promise<string[]> {
  return (await children(parentId)).map(({ outcome }) => outcome).sort();
}

/** An operator of each tenant by an assignment of its own. */
async function singleOperator(): Promise<TestUser> {
  const person = await createUser(installation.db, { name: "Sam Single" });
  for (const tenant of tenants)
    await addMember(installation.db, { workspace: world.northwind, user: person, role: "operator", tenant });
  return person;
}

/** Children are asked for and wait: their tenants are on hold. */
async function awaiting(): Promise<string> {
  for (const tenant of tenants) await placeHold(installation.db, { tenant });
  const id = await request();
  await drainQueue(installation.worker);
  return id;
}

async function release(): Promise<void> {
  await installation.db.query("delete from tenant_holds");
  await makeJobsDue(installation.db);
}

test("asks for one sync per tenant, each gated by itself, and ends with the last of them", async () => {
  const { db, worker } = installation;
  const id = await request();
  await drainQueue(worker);
  expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { synced: 3 }, attempt: 1 });
  const asked = await children(id);
  expect(asked.map(({ tenantId }) => tenantId).sort()).toEqual(tenants.map((tenant) => tenant.id).sort());
  for (const child of asked) {
    expect(child).toMatchObject({ outcome: "succeeded", trigger: "bulk", initiatorId: world.omar.id });
    expect(await listDecisions(db, child.id)).toMatchObject([{ phase: "begin", verdict: "allowed" }]);
  }
  expect((await listActions(db, id)).filter((action) => action === "run.succeeded")).toHaveLength(1);
  expect(await listNotifications(db, id)).toHaveLength(1);
});

test("under system authority its children are the system's, and nobody is told", async () => {
  const { db, worker } = installation;
  const id = storedRun(
    await requestRun(db, {
      operation: "tenants.bulk_sync",
      workspaceId: world.northwind.id,
      tenantId: null,
      initiator: null,
      trigger: "command",
      requestKey: null,
      expiresInHours: 24,
      target: { tenantIds: tenants.map((tenant) => tenant.id), types: ["deviceConfigurations"] },
    }),
  );
  await drainQueue(worker);
  expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { synced: 3 } });
  const asked = await children(id);
  expect(asked.map(({ initiatorId }) => initiatorId)).toEqual([null, null, null]);
  for (const run of [id, ...asked.map((child) => child.id)])
    expect(await listNotifications(db, run)).toEqual([]);
});

describe("while its children are under way", () => {
  test("it holds no worker, does not look stuck and is not rescued", async () => {
    const { db, worker } = installation;
    const id = await awaiting();
    expect(await getRun(db, id)).toMatchObject({ status: "running", tally: {} });
    await db.query("update operation_runs set heartbeat_at = clock_timestamp() - interval '1 hour'");
    expect(await requeueLostRuns(db, 60_000)).toBe(0);
    const shown = await findRunFor(db, await viewerOf(db, world, world.omar), id);
    expect(shown).toMatchObject({ isStuck: false, progressDone: 0, progressTotal: 3 });
    await release();
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", attempt: 1 });
  });

  test("its own job, delivered once more, begins nothing", async () => {
    const { db, worker } = installation;
    const id = await awaiting();
    await db.query("update operation_runs set heartbeat_at = clock_timestamp() - interval '1 hour'");
    const begun = await worker.begin({ operation: "tenants.bulk_sync", runId: id, jobId: "again" });
    expect(begun).toEqual({ kind: "elsewhere" });
    expect(await getRun(db, id)).toMatchObject({ status: "running", attempt: 1 });
    expect(await children(id)).toHaveLength(3);
  });

  test("it shows how many have ended", async () => {
    const { db, worker } = installation;
    const id = await awaiting();
    await db.query("delete from tenant_holds where tenant_id = $1", [world.contoso.id]);
    await makeJobsDue(db);
    await drainQueue(worker);
    const shown = await findRunFor(db, await viewerOf(db, world, world.omar), id);
    expect(shown).toMatchObject({ status: "running", progressDone: 1, tally: { synced: 1 } });
  });
});

describe("what is lost", () => {
  test("before it begins: it is blocked, and nothing was asked for", async () => {
    const { db, worker } = installation;
    const id = await request();
    await db.query("delete from role_assignments where user_id = $1", [world.omar.id]);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "blocked", reasonCode: "missing_capability" });
    expect(await children(id)).toEqual([]);
  });

  test("at one tenant before it begins: that one is left out, as a count without its name", async () => {
    const { db, worker } = installation;
    const single = await singleOperator();
    const id = await request(single);
    await db.query("delete from role_assignments where user_id = $1 and tenant_id = $2", [
      single.id,
      world.contoso.id,
    ]);
    await drainQueue(worker);
    const run = await getRun(db, id);
    expect(run).toMatchObject({ outcome: "partially_succeeded", tally: { synced: 2, left_out: 1 } });
    expect(run.failureMessage).toBe("2 of 3 tenants were synced; 1 tenant could not be included any more.");
    expect(await children(id)).toHaveLength(2);
  });

  test("while they wait: each is blocked by its own gate, and so is what asked for them", async () => {
    const { db, worker } = installation;
    const id = await awaiting();
    const { olivia, omar, northwind } = world;
    await removeMember(db, { actor: olivia, workspaceId: northwind.id, userId: omar.id });
    await release();
    await drainQueue(worker);
    expect(await outcomesOf(id)).toEqual(["blocked", "blocked", "blocked"]);
    expect(await getRun(db, id)).toMatchObject({
      outcome: "blocked",
      reasonCode: "initiator_not_entitled",
      tally: { blocked: 3 },
    });
    const denied = (await listDecisions(db, id)).filter(({ verdict }) => verdict === "denied");
    expect(denied).toMatchObject([{ reasonCode: "initiator_not_entitled", phase: "checkpoint" }]);
  });

  test("at a tenant that cannot be synced: the others are, and it says how each ended", async () => {
    const { db, worker } = installation;
    const id = await request();
    await db.query("update tenants set lifecycle = 'suspended' where id = $1", [world.contoso.id]);
    await drainQueue(worker);
    expect(await outcomesOf(id)).toEqual(["blocked", "succeeded", "succeeded"]);
    expect(await getRun(db, id)).toMatchObject({
      outcome: "partially_succeeded",
      failureMessage: "2 of 3 tenants were synced; 1 was blocked by policy.",
    });
  });
});

describe("cancelled", () => {
  const byOlivia = (runId: string) => ({ runId, actor: world.olivia });

  test("its children are with it, and it ends as they have", async () => {
    const { db, worker } = installation;
    const id = await awaiting();
    expect(await cancelRun(db, byOlivia(id))).toBe("asked");
    expect(await outcomesOf(id)).toEqual(["cancelled", "cancelled", "cancelled"]);
    expect(await getRun(db, id)).toMatchObject({ outcome: "cancelled", tally: { cancelled: 3 } });
    await release();
    await drainQueue(worker);
    expect(await outcomesOf(id)).toEqual(["cancelled", "cancelled", "cancelled"]);
  });

  test("one that is under way stops before its next effect, and those that wait never begin", async () => {
    const { db, worker, control, sandbox } = installation;
    for (const { directoryId } of tenants)
      await control.setFaults(directoryId, [{ kind: "hold", path: "/deviceCompliancePolicies" }]);
    const held = sandbox.requests.next(({ path }) => path.includes("/deviceCompliancePolicies"));
    const id = await request();
    const working = follow(drainQueue(worker));
    await held;
    await cancelRun(db, byOlivia(id));
    for (const { directoryId } of tenants) await control.clearFaults(directoryId);
    await working.result;
    expect(await outcomesOf(id)).toEqual(["cancelled", "cancelled", "cancelled"]);
    expect(await getRun(db, id)).toMatchObject({ outcome: "cancelled", tally: { cancelled: 3 } });
    const done = await db.query(
      "select 1 from effects e join operation_runs r on r.id = e.run_id and r.parent_run_id = $1",
      [id],
    );
    expect(done.length).toBeGreaterThan(0);
  });

  test("by a process that died before it came to the children: the rescuer goes on", async () => {
    const { db } = installation;
    const id = await awaiting();
    await db.query(
      `update operation_runs set cancel_requested_at = clock_timestamp(), cancelled_by = $2,
         cancelled_by_name = 'Olivia Brandt' where id = $1`,
      [id, world.olivia.id],
    );
    expect(await cancelChildren(db, null)).toBe(3);
    expect(await getRun(db, id)).toMatchObject({ outcome: "cancelled" });
    expect(await cancelChildren(db, null)).toBe(0);
  });
});

describe("a worker that was lost while it asked", () => {
  async function begin(id: string): Promise<Run> {
    const begun = await installation.worker.begin({
      operation: "tenants.bulk_sync",
      runId: id,
      jobId: crypto.randomUUID(),
    });
    if (begun.kind !== "authorized") throw new Error(`The run did not begin: ${begun.kind}`);
    return begun.run;
  }

  const askFor = (run: Run) => {
    const opened = openTenantlessRun(installation.worker, installation.worker.attempts.open(run, undefined));
    const ids = tenants.map((tenant) => tenant.id);
    return opened.effect("children:1", (tx) => createChildren(tx, run.id, ids, ["deviceConfigurations"]));
  };

  test("its successor asks for nobody twice, and ends as they do", async () => {
    const { db, worker } = installation;
    const id = await request();
    const lost = await begin(id);
    await askFor(lost);
    await db.query("update operation_runs set heartbeat_at = clock_timestamp() - interval '1 hour'");
    expect(await requeueLostRuns(db, 60_000)).toBe(1);
    await drainQueue(worker);
    expect(await children(id)).toHaveLength(3);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", attempt: 2, tally: { synced: 3 } });
    expect(await awaitChildren(db, lost)).toBe(false);
  });

  test("children that ended before it was left to them are not waited for", async () => {
    const { db, worker } = installation;
    const id = await request();
    const run = await begin(id);
    await askFor(run);
    await drainQueue(worker);
    expect(await outcomesOf(id)).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect((await getRun(db, id)).status).toBe("running");
    expect(await awaitChildren(db, run)).toBe(true);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { synced: 3 } });
  });

  test("a revoked one asks for nobody", async () => {
    const { db } = installation;
    const id = await request();
    const run = await begin(id);
    const { olivia, omar, northwind } = world;
    await removeMember(db, { actor: olivia, workspaceId: northwind.id, userId: omar.id });
    await expect(askFor(run)).rejects.toThrow("authority ended");
    expect(await children(id)).toEqual([]);
    expect(await getRun(db, id)).toMatchObject({ outcome: "blocked" });
  });
});
