import { beforeEach, expect, test } from "@jest/globals";
import { cancelRun } from "../../server/domain/operations/cancelRun.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { RunStopped, runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { requestSyncOf } from "../helpers/bulk.ts";
import { placeHold } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import {
  follow,
  makeDoor,
  openSession,
  untilSessionsWait,
  untilSomebodyWaits,
} from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, listActions, listDecisions } from "../helpers/records.ts";
import { createUnprotected } from "./naive.ts";

/** Whoever cancels and whoever acts meet at the run's row: one of them is first, and the other sees it. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

const markCancelled = `update operation_runs
  set cancel_requested_at = clock_timestamp(), cancelled_by_name = 'Olivia Brandt' where id = $1`;
const nothing = async () => ({ items: 1, counts: {} });

test("an effect that began first is done before the cancellation is answered, and no other follows", async () => {
  const { db } = installation;
  const run = await beginSync(installation, world);
  const door = makeDoor();
  const effect = follow(
    runEffect(db, run, { name: "first", perAttempt: false }, async () => {
      await door.wait();
      return { items: 1, counts: {} };
    }),
  );
  await door.reached;
  const cancelled = follow(cancelRun(db, { runId: run.id, actor: world.olivia }));
  await untilSessionsWait(db, 1);
  expect({ effect: effect.done, cancelled: cancelled.done }).toEqual({ effect: false, cancelled: false });
  door.open();
  await effect.result;
  expect(await cancelled.result).toBe("asked");
  await expect(runEffect(db, run, { name: "second", perAttempt: false }, nothing)).rejects.toThrow(
    RunStopped,
  );
  expect(await getRun(db, run.id)).toMatchObject({ outcome: "cancelled", effectsDone: 1 });
});

test("a cancellation that began first is waited for, and the effect does not happen", async () => {
  const { db, url } = installation;
  const run = await beginSync(installation, world);
  const session = await openSession(url);
  await session.query("begin");
  await session.query(markCancelled, [run.id]);
  const effect = follow(runEffect(db, run, { name: "late", perAttempt: false }, nothing));
  await untilSessionsWait(db, 1);
  await session.query("commit");
  await expect(effect.result).rejects.toMatchObject({ because: "cancelled" });
  expect(await getRun(db, run.id)).toMatchObject({ outcome: "cancelled", effectsDone: 0 });
  await session.end();
});

test("a run that waits to begin while it is being cancelled does not begin", async () => {
  const { db, url, worker } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const session = await openSession(url);
  await session.query("begin");
  await session.query(markCancelled, [run]);
  const beginning = follow(worker.begin({ operation: "inventory.sync", runId: run, jobId: "job" }));
  await untilSessionsWait(db, 1);
  await session.query("commit");
  expect(await beginning.result).toEqual({ kind: "cancelled" });
  expect(await getRun(db, run)).toMatchObject({ outcome: "cancelled", startedAt: null, attempt: 0 });
  expect(await listDecisions(db, run)).toEqual([]);
  await session.end();
});

test("of a beginning and a cancellation at the same moment, one is first and nothing is lost", async () => {
  const { db, worker } = installation;
  for (let round = 0; round < 10; round += 1) {
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const [begun, cancelled] = await Promise.all([
      worker.begin({ operation: "inventory.sync", runId: run, jobId: `job-${round}` }),
      cancelRun(db, { runId: run, actor: world.omar }),
    ]);
    if (begun.kind === "authorized") {
      expect(cancelled).toBe("asked");
      await expect(effectOf(begun.run)).rejects.toMatchObject({ because: "cancelled" });
    } else expect({ begun: begun.kind, cancelled }).toEqual({ begun: "ended", cancelled: "ended" });
    expect(await getRun(db, run)).toMatchObject({ outcome: "cancelled", effectsDone: 0 });
    expect((await listActions(db, run)).filter((action) => action === "run.cancelled")).toHaveLength(1);
  }
});

test.each(["a run", "a run's children"])(
  "who cancels %s waits for a gate that lets it begin, and keeps no gate waiting meanwhile",
  async (which) => {
    const { db, url } = installation;
    const [asked, begun] = which === "a run" ? await requestOne() : await requestThroughParent();
    const gate = await openSession(url);
    await gate.query("begin");
    await gate.query("select pg_advisory_xact_lock(turn_key($1))", [world.contoso.id]);
    const cancelled = follow(cancelRun(db, { runId: asked, actor: world.omar }));
    await untilSomebodyWaits(db);
    // What the gate does next: were the row locked by who waits for the gate, neither would get on.
    await gate.query("select 1 from operation_runs where id = $1 for no key update nowait", [begun]);
    await gate.query("commit");
    await cancelled.result;
    expect(await getRun(db, begun)).toMatchObject({ outcome: "cancelled" });
    await gate.end();
  },
);

test("who loses the right to cancel while they ask has lost it", async () => {
  const { db, url } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const session = await openSession(url);
  await session.query("begin");
  await session.query("delete from role_assignments where user_id = $1", [world.omar.id]);
  const cancelled = follow(cancelRun(db, { runId: run, actor: world.omar }));
  await untilSomebodyWaits(db);
  expect(cancelled.done).toBe(false);
  await session.query("commit");
  await expect(cancelled.result).rejects.toMatchObject({ name: "NotFound" });
  expect(await getRun(db, run)).toMatchObject({ status: "queued" });
  await session.end();
});

test("control: looking for a cancellation first and then acting acts after it was answered", async () => {
  const { db, url } = installation;
  const run = await beginSync(installation, world);
  await db.query(createUnprotected);
  const acting = await openSession(url);
  await acting.query("begin");
  const { rows } = await acting.query(
    "select 1 from operation_runs where id = $1 and cancel_requested_at is null",
    [run.id],
  );
  expect(rows).toHaveLength(1);
  expect(await cancelRun(db, { runId: run.id, actor: world.olivia })).toBe("asked");
  await acting.query("insert into unprotected_effects values ($1, clock_timestamp())", [run.id]);
  await acting.query("commit");
  const late = await db.query(
    `select 1 from unprotected_effects e join operation_runs r on r.id = e.run_id
     where r.id = $1 and e.at > r.cancel_requested_at`,
    [run.id],
  );
  expect(late).toHaveLength(1);
  await acting.end();
});

async function requestOne(): Promise<[string, string]> {
  const run = await requestAs(installation.db, world.omar, "inventory.sync", world.contoso);
  return [run, run];
}

/** A run and the one that it has asked for, which waits. */
async function requestThroughParent(): Promise<[string, string]> {
  const { db, worker } = installation;
  await placeHold(db, { tenant: world.contoso });
  const parent = await requestSyncOf(installation, world, world.omar, [world.contoso]);
  await drainQueue(worker);
  const [child] = await db.query<{ id: string }>("select id from operation_runs where parent_run_id = $1", [
    parent,
  ]);
  return [parent, child?.id ?? ""];
}

function effectOf(run: Run): Promise<void> {
  return runEffect(installation.db, run, { name: "effect", perAttempt: false }, nothing);
}
