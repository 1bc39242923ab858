import { beforeEach, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { cancelRun } from "../../../server/domain/operations/cancelRun.ts";
import { failAttempt, handBackAttempt } from "../../../server/domain/operations/endAttempt.ts";
import { requeueLostRuns } from "../../../server/domain/operations/rescueRuns.ts";
import type { Run } from "../../../server/domain/operations/run.ts";
import { RunStopped, runEffect } from "../../../server/domain/operations/runEffect.ts";
import { beginSync } from "../../helpers/begun.ts";
import { createMember, createTenant } from "../../helpers/factories.ts";
import { listTransitions, watchTransitions } from "../../helpers/history.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeJobsDue } from "../../helpers/queue.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../../helpers/records.ts";
import { createRun } from "../../helpers/runs.ts";

const installation = useInstallation();
let world: Northwind;
let isWatched = false;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
  if (!isWatched) await watchTransitions(installation.db);
  isWatched = true;
});

const fault = { code: "provider_unavailable", message: "Microsoft answered 503." } as const;

describe("a run that waits", () => {
  test("ends at once, told once, and a job that comes for it later does nothing", async () => {
    const { db, worker, control } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    expect(await cancelRun(db, { runId: run, actor: world.omar })).toBe("ended");
    expect(await listJobsOf(db, run)).toHaveLength(1);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "cancelled", startedAt: null, effectsDone: 0 });
    expect(await listTransitions(db, run)).toEqual(["cancelled"]);
    expect(await listDecisions(db, run)).toEqual([]);
    expect(await listActions(db, run)).toEqual([
      "run.requested",
      "run.cancellation_requested",
      "run.cancelled",
    ]);
    expect(await listNotifications(db, run)).toMatchObject([
      { userId: world.omar.id, content: { outcome: "cancelled", changed: false } },
    ]);
    expect(await control.requests(world.contoso.directoryId)).toEqual([]);
  });

  test("for another attempt ends at once, with what had been done, and is not tried again", async () => {
    const { db, worker } = installation;
    const run = await beginSync(installation, world);
    await record(run, "page:1");
    await failAttempt(db, run, fault);
    expect(await cancelRun(db, { runId: run.id, actor: world.olivia })).toBe("ended");
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run.id)).toMatchObject({ outcome: "cancelled", attempt: 1, effectsDone: 1 });
  });

  test("and is the system's ends without anybody being told", async () => {
    const { db } = installation;
    const run = await requestAs(db, null, "inventory.sync", world.contoso);
    await cancelRun(db, { runId: run, actor: world.olivia });
    expect(await getRun(db, run)).toMatchObject({ outcome: "cancelled" });
    expect(await listNotifications(db, run)).toEqual([]);
  });

  test("lets the next in line to write at the tenant look again at once", async () => {
    const { db } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const next = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await db.query("update operation_runs set waiting_reason = 'turn' where id = $1", [next]);
    await db.query("delete from graphile_worker._private_jobs");
    await cancelRun(db, { runId: run, actor: world.omar });
    expect(await listJobsOf(db, next)).toHaveLength(1);
  });
});

describe("a run under way", () => {
  test("is stopped before its next effect and keeps what had been done", async () => {
    const { db } = installation;
    const run = await beginSync(installation, world);
    await record(run, "page:1");
    expect(await cancelRun(db, { runId: run.id, actor: world.olivia })).toBe("asked");
    expect(await getRun(db, run.id)).toMatchObject({ status: "running", outcome: "pending" });
    await expect(record(run, "page:2")).rejects.toMatchObject({ because: "cancelled" });
    expect(await getRun(db, run.id)).toMatchObject({
      outcome: "cancelled",
      effectsDone: 1,
      tally: { created: 2 },
    });
    expect(await listTransitions(db, run.id)).toEqual(["running", "cancelled"]);
    expect((await listActions(db, run.id)).filter((action) => action === "run.cancelled")).toHaveLength(1);
    expect(await listNotifications(db, run.id)).toHaveLength(1);
    await expect(record(run, "page:3")).rejects.toThrow(RunStopped);
  });

  test.each([
    ["fails", (run: Run) => failAttempt(installation.db, run, fault)],
    ["is handed back", (run: Run) => handBackAttempt(installation.db, run)],
  ])("ends cancelled when its attempt %s meanwhile", async (_name, end) => {
    const { db } = installation;
    const run = await beginSync(installation, world);
    await cancelRun(db, { runId: run.id, actor: world.omar });
    expect(await end(run)).toBe("cancelled");
    expect(await getRun(db, run.id)).toMatchObject({ outcome: "cancelled", failureCode: null });
  });

  test("ends cancelled when its worker is lost meanwhile", async () => {
    const { db } = installation;
    const run = await beginSync(installation, world);
    await cancelRun(db, { runId: run.id, actor: world.omar });
    await db.query("update operation_runs set heartbeat_at = now() - interval '5 minutes' where id = $1", [
      run.id,
    ]);
    await requeueLostRuns(db, 60_000);
    expect(await getRun(db, run.id)).toMatchObject({ outcome: "cancelled" });
    await expect(record(run, "late")).rejects.toThrow(RunStopped);
  });

  test("is asked once, however often somebody asks", async () => {
    const { db } = installation;
    const run = await beginSync(installation, world);
    const ask = (actor = world.omar) => cancelRun(db, { runId: run.id, actor });
    expect(await Promise.all([ask(), ask(), ask(world.olivia)])).toEqual(["asked", "asked", "asked"]);
    const asked = (await listActions(db, run.id)).filter((action) => action === "run.cancellation_requested");
    expect(asked).toHaveLength(1);
  });
});

describe("what has ended", () => {
  test("cannot be cancelled, in words; what was cancelled already is", async () => {
    const { db } = installation;
    const done = await createRun(db, {
      workspace: world.northwind,
      tenant: world.contoso,
      initiator: world.omar,
      ending: { outcome: "succeeded" },
    });
    await expect(cancelRun(db, { runId: done.id, actor: world.omar })).rejects.toThrow(
      /ended already, as “Succeeded”/,
    );
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await cancelRun(db, { runId: run, actor: world.omar });
    expect(await cancelRun(db, { runId: run, actor: world.omar })).toBe("ended");
    expect(await listNotifications(db, run)).toHaveLength(1);
  });

  test("cannot be marked as cancelled by hand either", async () => {
    const { db } = installation;
    const done = await createRun(db, { workspace: world.northwind, ending: { outcome: "succeeded" } });
    const mark = `update operation_runs set cancel_requested_at = now(), cancelled_by_name = 'X' where id = $1`;
    await expect(db.query(mark, [done.id])).rejects.toMatchObject({ code: "42501" });
  });
});

describe("the right to cancel", () => {
  test("is operations.cancel for one's own run and operations.cancel_any for another's", async () => {
    const { db } = installation;
    const { northwind: workspace, omar, olivia, contoso } = world;
    const rita = await createMember(db, { workspace, role: "readonly" });
    const tom = await createMember(db, { workspace, role: "operator" });
    const run = await requestAs(db, omar, "inventory.sync", contoso);
    const cancelAs = (actor: { id: string; name: string }) => cancelRun(db, { runId: run, actor });
    await expect(cancelAs(tom)).rejects.toMatchObject({ capability: "operations.cancel_any" });
    await expect(cancelAs(rita)).rejects.toMatchObject({ capability: "operations.cancel_any" });
    await db.query(
      "update roles set capabilities = array_remove(capabilities, 'operations.cancel') where workspace_id = $1",
      [workspace.id],
    );
    await expect(cancelAs(omar)).rejects.toMatchObject({ capability: "operations.cancel" });
    expect(await cancelAs(olivia)).toBe("ended");
  });

  test("is nobody's who is not entitled there: it is as if there were no run", async () => {
    const { db } = installation;
    const adatum = await createTenant(db, { workspace: world.northwind });
    const elsewhere = await createMember(db, { workspace: world.northwind, role: "owner", tenant: adatum });
    const stranger = (await seedNorthwind(installation)).olivia;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    for (const actor of [elsewhere, stranger])
      await expect(cancelRun(db, { runId: run, actor })).rejects.toMatchObject({ name: "NotFound" });
    await expect(cancelRun(db, { runId: uuidv7(), actor: world.olivia })).rejects.toMatchObject({
      name: "NotFound",
    });
    expect(await getRun(db, run)).toMatchObject({ status: "queued" });
  });
});

function record(run: Run, name: string): Promise<void> {
  const work = async () => ({ items: 2, counts: { created: 2 } });
  return runEffect(installation.db, run, { name, perAttempt: false }, work);
}
