import { beforeEach, describe, expect, test } from "@jest/globals";
import { rescue } from "../../jobs/maintenance/rescue.ts";
import { beatPool, markPoolStopped } from "../../jobs/pool.ts";
import { isStuck } from "../../server/domain/operations/listedRun.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf } from "../helpers/queue.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../helpers/records.ts";

/** The rescuer, with time set back instead of waited for. */

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  await installation.db.query("delete from graphile_worker._private_jobs");
  await installation.db.query("delete from worker_pools");
  // What other cases left running is nobody's to find.
  await installation.db.query("update operation_runs set heartbeat_at = null where status = 'running'");
  world = await seedNorthwind(installation, { policies: 3 });
});

const look = (lostAfter = 45_000) => rescue(installation.worker, { lostAfter });

/** As a worker process has it that took the run's job and began it. */
async function beginUnder(pool: string): Promise<Run> {
  const { db, worker } = installation;
  await beatPool(db, pool);
  const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const jobId = await takeJob(id, pool);
  const begun = await worker.begin({ operation: "inventory.sync", runId: id, jobId });
  if (begun.kind !== "authorized") throw new Error(`The run did not begin: ${begun.kind}`);
  return begun.run;
}

/** The queue's own statement of taking a job, for one. */
async function takeJob(runId: string, pool: string): Promise<string> {
  const [job] = await installation.db.query<{ id: string }>(
    `update graphile_worker._private_jobs set attempts = attempts + 1, locked_by = $2, locked_at = now()
     where key = 'run:' || $1 returning id::text`,
    [runId, pool],
  );
  if (job === undefined) throw new Error("The run has no job.");
  return job.id;
}

async function silentFor(seconds: number): Promise<void> {
  const { db } = installation;
  const ago = `clock_timestamp() - make_interval(secs => ${seconds})`;
  await db.query(`update worker_pools set last_heartbeat_at = ${ago}`);
  await db.query(`update operation_runs set heartbeat_at = ${ago} where heartbeat_at is not null`);
  await db.query(`update graphile_worker._private_jobs set locked_at = ${ago} where locked_at is not null`);
}

function listLocked(): Promise<{ by: string }[]> {
  return installation.db.query(
    "select locked_by as by from graphile_worker._private_jobs where locked_at is not null",
  );
}

describe("a pool without a sign of life", () => {
  test("for longer than it may: its job is given back, its run queued under a new token and then done", async () => {
    const { db, worker } = installation;
    const run = await beginUnder("pool-dead");
    await silentFor(46);
    await look();
    expect(await listLocked()).toEqual([]);
    expect(await getRun(db, run.id)).toMatchObject({
      status: "queued",
      attempt: 1,
      fencingToken: "2",
      lastError: "The worker was lost.",
    });
    expect(await listJobsOf(db, run.id)).toHaveLength(1);
    await drainQueue(worker);
    expect(await getRun(db, run.id)).toMatchObject({ outcome: "succeeded", attempt: 2, fencingToken: "3" });
    expect(await listActions(db, run.id)).toContain("run.worker_lost");
    expect(await db.query("select 1 from graphile_worker._private_jobs")).toEqual([]);
  });

  test("for less than that keeps what it has", async () => {
    const { db } = installation;
    const run = await beginUnder("pool-slow");
    await silentFor(40);
    await look();
    expect(await listLocked()).toEqual([{ by: "pool-slow" }]);
    expect(await getRun(db, run.id)).toMatchObject({ status: "running", fencingToken: "1" });
  });

  test("is taken up once, however many look for it at once", async () => {
    const { db } = installation;
    const runs = [await beginUnder("pool-dead"), await beginUnder("pool-dead")];
    await silentFor(46);
    await Promise.all(Array.from({ length: 8 }, () => look()));
    for (const { id } of runs) {
      expect(await getRun(db, id)).toMatchObject({ status: "queued", fencingToken: "2" });
      expect((await listActions(db, id)).filter((action) => action === "run.worker_lost")).toHaveLength(1);
      expect(await listJobsOf(db, id)).toHaveLength(1);
    }
  });

  test("that comes back is one again; its run is another's, and stays so", async () => {
    const { db, worker } = installation;
    const zombie = await beginUnder("pool-asleep");
    await silentFor(46);
    await look();
    await beatPool(db, "pool-asleep");
    await look();
    const late = runEffect(db, zombie, { name: "late", perAttempt: true }, async () => ({
      items: 1,
      counts: {},
    }));
    await expect(late).rejects.toMatchObject({ because: "fenced" });
    expect(await worker.finish({ run: zombie, ending: { outcome: "succeeded" } })).toBe(false);
    const [pool] = await db.query("select lost_at from worker_pools where pool_id = 'pool-asleep'");
    expect(pool).toEqual({ lost_at: null });
    await drainQueue(worker);
    expect(await getRun(db, zombie.id)).toMatchObject({ outcome: "succeeded", attempt: 2 });
  });

  test("on its run's last attempt: failed, told once", async () => {
    const { db, worker } = installation;
    const run = await beginUnder("pool-dead");
    await db.query("update operation_runs set max_attempts = 1 where id = $1", [run.id]);
    await silentFor(46);
    await Promise.all([look(), look()]);
    await drainQueue(worker);
    await look();
    expect(await getRun(db, run.id)).toMatchObject({ outcome: "failed", failureCode: "worker_lost" });
    expect(await listNotifications(db, run.id)).toHaveLength(1);
    expect((await listActions(db, run.id)).filter((action) => action === "run.failed")).toHaveLength(1);
    expect(await db.query("select 1 from graphile_worker._private_jobs")).toEqual([]);
  });
});

describe("a run that lost its authority and, on its last attempt, its worker", () => {
  test("is blocked, not failed: with its verdict, and told once", async () => {
    const { db, worker } = installation;
    const run = await beginUnder("pool-dead");
    await db.query("update operation_runs set max_attempts = 1 where id = $1", [run.id]);
    await db.query("delete from memberships where user_id = $1", [world.omar.id]);
    await silentFor(46);
    await Promise.all([look(), look()]);
    await drainQueue(worker);
    expect(await getRun(db, run.id)).toMatchObject({
      outcome: "blocked",
      reasonCode: "initiator_not_entitled",
      failureCode: null,
    });
    expect(await listDecisions(db, run.id)).toMatchObject([
      { attempt: 1, verdict: "allowed" },
      { attempt: 1, verdict: "denied", reasonCode: "initiator_not_entitled" },
    ]);
    expect(await listNotifications(db, run.id)).toHaveLength(1);
    expect((await listActions(db, run.id)).filter((action) => action === "run.blocked")).toHaveLength(1);
  });
});

describe("a run and its job that have lost each other", () => {
  test("a queued run without a job gets one", async () => {
    const { db, worker } = installation;
    const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await db.query("delete from graphile_worker._private_jobs");
    await look();
    expect(await listJobsOf(db, id)).toEqual([]);
    await Promise.all([look(0), look(0)]);
    expect(await listJobsOf(db, id)).toHaveLength(1);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", attempt: 1 });
  });

  test("a job that the queue has given up is replaced by one that will be delivered", async () => {
    const { db, worker } = installation;
    const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await db.query("update graphile_worker._private_jobs set attempts = max_attempts");
    await look(0);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded" });
  });

  test("a job that a living pool took without knowing is given back", async () => {
    const { db, worker } = installation;
    const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await takeJob(id, "pool-alive");
    await silentFor(46);
    await beatPool(db, "pool-alive");
    await look();
    expect(await listLocked()).toEqual([]);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", attempt: 1 });
  });

  test("a job that a living pool works on is left to it, however long that takes", async () => {
    const { db, worker } = installation;
    const run = await beginUnder("pool-alive");
    const attempt = worker.attempts.open(run, undefined);
    await silentFor(3_000);
    await beatPool(db, "pool-alive");
    await worker.attempts.beat(db);
    attempt.end();
    await look();
    expect(await listLocked()).toEqual([{ by: "pool-alive" }]);
    expect(await getRun(db, run.id)).toMatchObject({ status: "running", fencingToken: "1" });
  });

  test.each(["that had not told of itself yet", "that was thought to have stopped"])(
    "a job locked by a pool %s is given back",
    async (which) => {
      const { db, worker } = installation;
      const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
      await takeJob(id, "pool-gone");
      if (which === "that was thought to have stopped") {
        await beatPool(db, "pool-gone");
        await markPoolStopped(db, "pool-gone");
      }
      await silentFor(46);
      await look();
      await drainQueue(worker);
      expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded" });
    },
  );

  test("the job of a run that was handed back just before its worker died does not stay behind", async () => {
    const { db, worker } = installation;
    const run = await beginUnder("pool-dead");
    await worker.finish({ run, ending: { outcome: "succeeded" } });
    await db.query("update graphile_worker._private_jobs set key = null, attempts = max_attempts");
    await silentFor(46);
    await look();
    expect(await db.query("select 1 from graphile_worker._private_jobs")).toEqual([]);
  });
});

test("control: unlocked by the names of its workers, a dead pool's job stays locked", async () => {
  const { db } = installation;
  await beginUnder("pool-dead");
  await db.query("select graphile_worker.force_unlock_workers(array['worker-of-pool-dead'])");
  expect(await listLocked()).toEqual([{ by: "pool-dead" }]);
});

test("a run without a sign of life is seen as stuck before it is taken up", async () => {
  const { db } = installation;
  const { id } = await beginSync(installation, world);
  await silentFor(31);
  await look();
  expect(await getRun(db, id)).toMatchObject({ status: "running", attempt: 1 });
  const listStuck = () => db.query(`select r.id from operation_runs r where ${isStuck}`);
  expect(await listStuck()).toEqual([{ id }]);
  await silentFor(46);
  await look();
  expect(await listStuck()).toEqual([]);
});
