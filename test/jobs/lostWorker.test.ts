import { beforeEach, describe, expect, test } from "@jest/globals";
import { run as startQueue } from "graphile-worker";
import { makeQueueLogger } from "../../jobs/queueLogger.ts";
import { makeTaskList } from "../../jobs/taskList.ts";
import { failAttempt, handBackAttempt } from "../../server/domain/operations/endAttempt.ts";
import { RunStopped, runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { listAudit, listEffects, listInventory } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 6 });
});

const one = async () => ({ items: 1, counts: { created: 1 } });
const fault = { code: "internal_error", message: "It broke." } as const;

describe("a worker that was lost", () => {
  test("its job, delivered again, makes a new attempt with a new token", async () => {
    const { db, worker } = installation;
    const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const [job] = await listJobsOf(db, id);
    const lost = await worker.begin({ operation: "inventory.sync", runId: id, jobId: job?.id ?? "" });
    expect(lost.kind).toBe("authorized");
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", attempt: 2, fencingToken: "2" });
  });

  test("that comes back while its successor works can neither act, nor fail the run, nor hand it back", async () => {
    const { db, worker } = installation;
    const zombie = await beginSync(installation, world, "the same job");
    const { id } = zombie;
    await worker.begin({ operation: "inventory.sync", runId: id, jobId: "the same job" });
    const before = await getRun(db, id);
    expect(before).toMatchObject({ status: "running", attempt: 2, fencingToken: "2" });
    const late = runEffect(db, zombie, { name: "late", perAttempt: true }, one);
    await expect(late).rejects.toMatchObject({ because: "fenced" });
    await expect(late).rejects.toThrow(RunStopped);
    expect(await worker.finish({ run: zombie, ending: { outcome: "succeeded" } })).toBe(false);
    expect(await failAttempt(db, zombie, fault)).toBe("fenced");
    expect(await handBackAttempt(db, zombie)).toBe("fenced");
    expect(await getRun(db, id)).toEqual(before);
    expect(await listEffects(db, id)).toEqual([]);
    const actions = (await listAudit(db, id)).map(({ action }) => action);
    expect(actions).toEqual(["run.requested", "run.started", "run.started"]);
  });

  test("control: a failure that is recorded by the run's id alone takes the run from its successor", async () => {
    const { db, worker } = installation;
    const zombie = await beginSync(installation, world, "the same job");
    await worker.begin({ operation: "inventory.sync", runId: zombie.id, jobId: "the same job" });
    await db.query("update operation_runs set status = 'queued', last_error = 'It broke.' where id = $1", [
      zombie.id,
    ]);
    expect(await getRun(db, zombie.id)).toMatchObject({ status: "queued", attempt: 2 });
  });

  test("hears of its replacement by its next sign of life", async () => {
    const { db, worker } = installation;
    const zombie = await beginSync(installation, world, "the same job");
    const attempt = worker.attempts.open(zombie, undefined);
    await worker.attempts.beat(db);
    expect(attempt.signal.aborted).toBe(false);
    await worker.begin({ operation: "inventory.sync", runId: zombie.id, jobId: "the same job" });
    await worker.attempts.beat(db);
    expect(attempt.signal.reason).toBeInstanceOf(RunStopped);
    attempt.end();
  });

  test("on its last attempt leaves a run that ends failed when its job comes again", async () => {
    const { db, worker } = installation;
    const run = await beginSync(installation, world, "the same job");
    await db.query("update operation_runs set max_attempts = 1 where id = $1", [run.id]);
    const again = await worker.begin({ operation: "inventory.sync", runId: run.id, jobId: "the same job" });
    expect(again).toEqual({ kind: "ended" });
    expect(await getRun(db, run.id)).toMatchObject({ outcome: "failed", failureCode: "worker_lost" });
  });
});

describe("a worker that has to stop", () => {
  test("hands its run back; it spends no attempt, and what it had seen is not taken for gone", async () => {
    // More than one page of a type, so that it is met in the middle of a listing.
    world = await seedNorthwind(installation, { policies: 330 });
    const { db, worker, control, sandbox } = installation;
    const { directoryId } = world.contoso;
    await control.setFaults(directoryId, [{ kind: "hold", path: "skiptoken" }]);
    // The other cases leave jobs of theirs in the queue.
    const held = sandbox.requests.next(
      (request) => request.directoryId === directoryId && request.query.includes("skiptoken"),
    );
    const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const queue = await startQueue({
      pgPool: db.pool,
      taskList: makeTaskList(worker),
      parsedCronItems: [],
      noHandleSignals: true,
      logger: makeQueueLogger(worker.log),
      preset: { worker: { gracefulShutdownAbortTimeout: 20 } },
    });
    await held;
    await queue.stop("the host goes down");
    expect(await getRun(db, id)).toMatchObject({ status: "queued", attempt: 0, tally: { created: 100 } });
    await control.clearFaults(directoryId);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({
      outcome: "succeeded",
      attempt: 1,
      fencingToken: "2",
      tally: { created: 330, changed: 0, unchanged: 0, gone: 0 },
    });
    const inventory = await listInventory(db, world.contoso.id);
    expect(inventory).toHaveLength(330);
    expect(inventory.filter(({ goneSince }) => goneSince !== null)).toEqual([]);
  });
});
