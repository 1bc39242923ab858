import { beforeEach, describe, expect, test } from "@jest/globals";
import { getConnection } from "../helpers/connections.ts";
import { listAudit, listEffects } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { addRawJob, drainQueue, listJobsOf, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listDecisions, listNotifications } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
const suspendMembership = "update memberships set status = $2 where user_id = $1";

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 6 });
});

describe("a retry decides afresh", () => {
  test("authority that was lost between two attempts blocks the second, with what the first had done", async () => {
    const { db } = installation;
    const run = await faultedSync();
    const before = await getRun(db, run);
    expect(before).toMatchObject({ status: "queued", effectsDone: 4, tally: { created: 2 } });
    await db.query(suspendMembership, [world.omar.id, "suspended"]);
    await tryAgain();
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "initiator_not_entitled",
      attempt: 1,
      effectsDone: 4,
      tally: { created: 2 },
      startedAt: before.startedAt,
      nextAttemptAt: null,
    });
    await tryAgain();
    expect((await listDecisions(db, run)).map(({ phase, verdict }) => [phase, verdict])).toEqual([
      ["begin", "allowed"],
      ["begin", "denied"],
    ]);
  });

  test("authority that was lost and regained between two attempts lets the second go on", async () => {
    const { db } = installation;
    const run = await faultedSync();
    await db.query(suspendMembership, [world.omar.id, "suspended"]);
    await db.query(suspendMembership, [world.omar.id, "active"]);
    await tryAgain();
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 2, fencingToken: "2" });
    expect(await listDecisions(db, run)).toMatchObject([
      { attempt: 1, verdict: "allowed" },
      { attempt: 2, verdict: "allowed" },
    ]);
  });

  test("the checks of each attempt are those of its own time", async () => {
    const { db } = installation;
    const run = await faultedSync();
    await db.query(
      "update role_assignments set role_id = (select id from roles where workspace_id = $2 and key = 'owner') where user_id = $1",
      [world.omar.id, world.northwind.id],
    );
    await tryAgain();
    const [first, second] = await listDecisions(db, run);
    expect(first?.checks.capability.value).toContain("Operator");
    expect(second?.checks.capability.value).toContain("Owner");
  });
});

describe("a fault on the way", () => {
  test("leaves the run queued, saying which attempt, what went wrong and when the queue tries again", async () => {
    const { db } = installation;
    const run = await faultedSync();
    const waiting = await getRun(db, run);
    expect(waiting).toMatchObject({ status: "queued", outcome: "pending", attempt: 1, failureCode: null });
    expect(waiting.lastError).toMatch(/^Microsoft did not answer: /);
    const [job] = await listJobsOf(db, run);
    expect(job).toMatchObject({ attempts: 0, maxAttempts: 25 });
    const apart = Math.abs((job?.runAt.getTime() ?? 0) - (waiting.nextAttemptAt?.getTime() ?? 0));
    expect(apart).toBeLessThan(1_000);
    expect(await listNotifications(db, run)).toEqual([]);
    await tryAgain({ stillDown: true });
    const later = await getRun(db, run);
    const [again] = await listJobsOf(db, run);
    expect(later).toMatchObject({ status: "queued", attempt: 2 });
    expect(Math.abs((again?.runAt.getTime() ?? 0) - (later.nextAttemptAt?.getTime() ?? 0))).toBeLessThan(
      1_000,
    );
    expect(later.nextAttemptAt?.getTime()).toBeGreaterThan(waiting.nextAttemptAt?.getTime() ?? Infinity);
  });

  test("on the last attempt ends the run failed, told once, with no job that would be tried again", async () => {
    const { db } = installation;
    const run = await faultedSync();
    for (const attempt of [2, 3, 4]) {
      await tryAgain({ stillDown: true });
      expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt });
    }
    await tryAgain({ stillDown: true });
    const failed = await getRun(db, run);
    expect(failed).toMatchObject({
      outcome: "failed",
      failureCode: "provider_unavailable",
      reasonCode: null,
      attempt: 5,
      nextAttemptAt: null,
    });
    expect(failed.failureMessage).toMatch(/^Microsoft did not answer: /);
    expect(await listJobsOf(db, run)).toEqual([]);
    expect(await listNotifications(db, run)).toMatchObject([{ content: { outcome: "failed" } }]);
    const actions = (await listAudit(db, run)).map(({ action }) => action);
    expect(actions.filter((action) => action === "run.attempt_failed")).toHaveLength(5);
    expect(actions.filter((action) => action === "run.failed")).toHaveLength(1);
    // Whatever delivers it once more, it stays what it is.
    await installation.control.clearFaults(world.contoso.directoryId);
    await addRawJob(db, { task: "inventory.sync", payload: { runId: run } });
    await drainQueue(installation.worker);
    expect(await getRun(db, run)).toEqual(failed);
  });

  test("an error of one page is forgotten once a later attempt succeeds", async () => {
    const { db } = installation;
    const run = await faultedSync();
    await tryAgain();
    expect(await getRun(db, run)).toMatchObject({
      outcome: "succeeded",
      attempt: 2,
      failureCode: null,
      nextAttemptAt: null,
      // Each policy once, although the first attempt had written some of them.
      tally: { created: 6, changed: 0, unchanged: 0, gone: 0 },
    });
  });
});

describe("an effect is recorded once per run and key", () => {
  test("a verification that was recorded before the worker was lost is not recorded again", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "provider.connection.verify", world.contoso);
    // The effect commits, the ending does not.
    await db.query(
      "alter table audit_events add constraint broken check (action <> 'run.succeeded') not valid",
    );
    await drainQueue(worker);
    await db.query("alter table audit_events drop constraint broken");
    const [recorded] = await listEffects(db, run);
    const verifiedAt = (await getConnection(db, world.connection.id)).verifiedAt;
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1, effectsDone: 1 });
    await tryAgain();
    expect(await getRun(db, run)).toMatchObject({
      outcome: "succeeded",
      attempt: 2,
      effectsDone: 1,
      tally: { verified: 1 },
    });
    expect(await listEffects(db, run)).toEqual([recorded]);
    expect((await getConnection(db, world.connection.id)).verifiedAt).toEqual(verifiedAt);
    const audit = await listAudit(db, world.connection.id);
    expect(audit.filter(({ action }) => action === "connection.verified")).toHaveLength(1);
  });

  test("pages are read and recorded anew by every attempt", async () => {
    const { db } = installation;
    const run = await faultedSync();
    await tryAgain();
    const effects = await listEffects(db, run);
    expect(effects.map(({ attempt }) => attempt)).toEqual([...Array(4).fill(1), ...Array(11).fill(2)]);
    expect(new Set(effects.map(({ key }) => key)).size).toBe(15);
  });
});

/** A sync whose first attempt read one type and then found the provider down. */
async function faultedSync(): Promise<string> {
  const { db, worker, control } = installation;
  const path = "/deviceCompliancePolicies";
  await control.setFaults(world.contoso.directoryId, [{ kind: "status", status: 503, path }]);
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await drainQueue(worker);
  return run;
}

async function tryAgain(given: { stillDown: boolean } = { stillDown: false }): Promise<void> {
  const { db, worker, control } = installation;
  if (!given.stillDown) await control.clearFaults(world.contoso.directoryId);
  await makeJobsDue(db);
  await drainQueue(worker);
}
