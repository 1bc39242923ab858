import { beforeEach, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { requestRun } from "../../../server/domain/operations/requestRun.ts";
import { digestOf } from "../../../server/domain/operations/run.ts";
import { breaking } from "../../helpers/breaking.ts";
import { createTenant } from "../../helpers/factories.ts";
import { listAudit } from "../../helpers/history.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { openSession, untilSessionsWait } from "../../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, listJobs, listJobsOf } from "../../helpers/queue.ts";
import { count, getRun } from "../../helpers/records.ts";
import { aRequest } from "../../helpers/requests.ts";

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
  await installation.db.query("delete from graphile_worker._private_jobs");
});

describe("an allowed request", () => {
  test("is a queued run and its job, which carries the run's id and nothing else", async () => {
    const { db } = installation;
    const run = await stored(aRequest(world));
    expect(await getRun(db, run)).toMatchObject({ status: "queued", outcome: "pending", attempt: 0 });
    const jobs = await db.query(
      `select j.key, j.payload, t.identifier from graphile_worker._private_jobs j
       join graphile_worker._private_tasks t on t.id = j.task_id`,
    );
    expect(jobs).toEqual([{ key: `run:${run}`, payload: { runId: run }, identifier: "inventory.sync" }]);
    expect(await listAudit(db, run)).toMatchObject([
      { action: "run.requested", outcome: "allowed", actorId: world.omar.id },
    ]);
  });

  test("leaves no run when it cannot be enqueued, and no job when it cannot be audited", async () => {
    const { db } = installation;
    const before = await count(db, "operation_runs");
    await breaking(db, "graphile_worker._private_jobs", "attempts < 0", () =>
      expect(requestRun(db, aRequest(world))).rejects.toMatchObject({ constraint: "broken" }),
    );
    await breaking(db, "audit_events", "action <> 'run.requested'", () =>
      expect(requestRun(db, aRequest(world))).rejects.toMatchObject({ constraint: "broken" }),
    );
    expect(await count(db, "operation_runs")).toBe(before);
    expect(await listJobs(db)).toEqual([]);
    await stored(aRequest(world));
    expect(await count(db, "operation_runs")).toBe(before + 1);
    expect(await listJobs(db)).toHaveLength(1);
  });

  test("is kept out of a day that is over: it says until when it may begin", async () => {
    const { db } = installation;
    const run = await stored(aRequest(world, { expiresInHours: 3 }));
    const rows = await db.query(
      "select expires_at - requested_at between '2:59:59' and '3:00:01' as right from operation_runs where id = $1",
      [run],
    );
    expect(rows).toEqual([{ right: true }]);
  });
});

describe("the same request key", () => {
  test("twice makes one run, one job and one audit entry", async () => {
    const request = aRequest(world, { requestKey: uuidv7() });
    const run = await stored(request);
    expect(await requestRun(installation.db, request)).toEqual({
      kind: "stored",
      runId: run,
      blocked: false,
    });
    await expectOneOf(run);
  });

  test("twice at once makes one run, one job and one audit entry", async () => {
    const { db, url } = installation;
    const request = aRequest(world, { requestKey: uuidv7() });
    // Both have looked for an earlier one and found none before either may write.
    const session = await openSession(url);
    await session.query("begin");
    await session.query("lock table operation_runs in share mode");
    const both = [requestRun(db, request), requestRun(db, request)];
    await untilSessionsWait(db, 2);
    await session.query("commit");
    await session.end();
    const [first, second] = await Promise.all(both);
    expect(second).toEqual(first);
    await expectOneOf(first?.kind === "stored" ? first.runId : "");
  });

  test("control: looking first, without the unique key, makes two", async () => {
    const { db, url } = installation;
    await db.query("create table unprotected_runs (request_key uuid)");
    const key = uuidv7();
    const sessions = [await openSession(url), await openSession(url)];
    for (const session of sessions) {
      await session.query("begin");
      const { rows } = await session.query("select 1 from unprotected_runs where request_key = $1", [key]);
      expect(rows).toEqual([]);
    }
    for (const session of sessions) {
      await session.query("insert into unprotected_runs values ($1)", [key]);
      await session.query("commit");
      await session.end();
    }
    expect(await db.query("select 1 from unprotected_runs")).toHaveLength(2);
  });

  test("of another person is another request", async () => {
    const requestKey = uuidv7();
    const mine = await stored(aRequest(world, { requestKey }));
    const theirs = await stored(aRequest(world, { requestKey, initiator: world.olivia }));
    expect(theirs).not.toBe(mine);
  });

  test("for something else is told apart: it never answers with the first one's run", async () => {
    const { db } = installation;
    const request = aRequest(world, { requestKey: uuidv7() });
    const run = await stored(request);
    const others: Parameters<typeof aRequest>[1][] = [
      { operation: "provider.connection.verify" },
      { tenantId: (await createTenant(db, { workspace: world.northwind })).id },
      { target: { types: ["deviceConfigurations"] } },
      { rerunOf: run },
    ];
    for (const other of others)
      await expect(requestRun(db, { ...request, ...other })).rejects.toMatchObject({ name: "Conflict" });
    await expectOneOf(run);
  });

  test("of a request that was refused is free again", async () => {
    const { db } = installation;
    const request = aRequest(world, { requestKey: uuidv7() });
    await db.query("update memberships set status = 'suspended' where user_id = $1", [world.omar.id]);
    expect(await requestRun(db, request)).toMatchObject({ kind: "refused" });
    await db.query("update memberships set status = 'active' where user_id = $1", [world.omar.id]);
    expect(await requestRun(db, request)).toMatchObject({ kind: "stored", blocked: false });
  });
});

describe("what was asked for is frozen", () => {
  test("with the digest it is compared by when the run begins", async () => {
    const { db, worker } = installation;
    const run = await stored(aRequest(world));
    const tamper = `update operation_runs set target = '{"types": ["deviceConfigurations"]}' where id = $1`;
    await expect(db.query(tamper, [run])).rejects.toMatchObject({ code: "42501" });
    // Whoever gets past the trigger is found out by the digest.
    await db.query("alter table operation_runs disable trigger runs_keep_their_history");
    await db.query(tamper, [run]);
    await db.query("alter table operation_runs enable trigger runs_keep_their_history");
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "workspace_mismatch" });
    expect(await installation.control.requests(world.contoso.directoryId)).toEqual([]);
  });

  test("control: with the digest forged as well, the run would do something else", async () => {
    const { db, worker } = installation;
    const run = await stored(aRequest(world));
    await db.query("alter table operation_runs disable trigger runs_keep_their_history");
    const target = { types: ["deviceConfigurations"] };
    await db.query("update operation_runs set target = $2, target_digest = $3 where id = $1", [
      run,
      JSON.stringify(target),
      digestOf({
        operation: "inventory.sync",
        workspaceId: world.northwind.id,
        tenantId: world.contoso.id,
        connectionId: world.connection.id,
        target,
      }),
    ]);
    await db.query("alter table operation_runs enable trigger runs_keep_their_history");
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", effectsDone: 2 });
  });
});

async function stored(request: Parameters<typeof requestRun>[1]): Promise<string> {
  const answer = await requestRun(installation.db, request);
  if (answer.kind !== "stored") throw new Error(`It was refused: ${answer.reasonCode}`);
  return answer.runId;
}

async function expectOneOf(run: string): Promise<void> {
  const { db } = installation;
  const runs = await db.query<{ id: string }>("select id from operation_runs where tenant_id = $1", [
    world.contoso.id,
  ]);
  expect(runs).toEqual([{ id: run }]);
  expect(await listJobsOf(db, run)).toHaveLength(1);
  expect(await listJobs(db)).toHaveLength(1);
  const requested = await db.query(
    "select subject_id from audit_events where tenant_id = $1 and action = 'run.requested'",
    [world.contoso.id],
  );
  expect(requested).toEqual([{ subject_id: run }]);
}
