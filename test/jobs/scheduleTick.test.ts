import { beforeEach, describe, expect, test } from "@jest/globals";
import { scheduleTick } from "../../jobs/maintenance/scheduleTick.ts";
import { pauseSchedule, previewRevocation } from "../../server/domain/schedules/pauseSchedule.ts";
import { createTenant, placeHold } from "../helpers/factories.ts";
import { listAudit } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { holdKey } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf } from "../helpers/queue.ts";
import { count, getRun, listNotifications } from "../helpers/records.ts";
import { createSchedule, getSchedule, listRunsOfSchedule } from "../helpers/schedules.ts";

/** The clock of these tests, ahead of the real one, so that nothing else is due. */
const noon = new Date("2031-06-02T12:00:00Z");
const minutes = (count: number, from = noon) => new Date(from.getTime() + count * 60_000);

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  await installation.db.query("delete from schedules");
  world = await seedNorthwind(installation, { policies: 3 });
});

const tick = (now: Date) => scheduleTick(installation.worker, { now, expiresInHours: 24 });

function schedule(given: Partial<Parameters<typeof createSchedule>[1]> = {}): Promise<{ id: string }> {
  return createSchedule(installation.db, {
    workspace: world.northwind,
    tenant: world.contoso,
    steward: world.olivia,
    nextRunAt: noon,
    ...given,
  });
}

describe("a schedule whose time has come", () => {
  test("asks for a run under system authority, which runs and notifies nobody", async () => {
    const { db, worker } = installation;
    const { id } = await schedule();
    const before = await count(db, "notifications");
    expect(await tick(noon)).toMatchObject({ asked: 1, failed: 0 });
    const [run = ""] = await listRunsOfSchedule(db, id);
    expect(await getSchedule(db, id)).toMatchObject({ lastRunId: run, nextRunAt: minutes(60) });
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
    expect(await count(db, "notifications")).toBe(before);
    expect((await listAudit(db, run))[0]).toMatchObject({
      action: "run.requested",
      actorId: null,
      details: { authorityMode: "system_authority", trigger: "schedule", schedule: id },
    });
  });

  test("is left alone before", async () => {
    const { id } = await schedule();
    expect(await tick(minutes(-1))).toMatchObject({ asked: 0, elsewhere: 0 });
    expect(await listRunsOfSchedule(installation.db, id)).toEqual([]);
  });

  test("asks on its kept target only for what was chosen", async () => {
    const { id } = await schedule({ operation: "backup.create" });
    await tick(noon);
    const rows = await installation.db.query("select target from operation_runs where schedule_id = $1", [
      id,
    ]);
    expect(rows).toEqual([{ target: { types: ["deviceConfigurations"] } }]);
  });

  test("asks exactly once, however many workers tick at the same time", async () => {
    const { db } = installation;
    const ids = [];
    for (let made = 0; made < 25; made += 1) {
      const tenant = await createTenant(db, { workspace: world.northwind });
      ids.push((await schedule({ tenant, operation: "provider.connection.verify" })).id);
    }
    const ticks = await Promise.all(Array.from({ length: 4 }, () => tick(noon)));
    expect(ticks.reduce((sum, { asked }) => sum + asked, 0)).toBe(25);
    expect(ticks.reduce((sum, { failed }) => sum + failed, 0)).toBe(0);
    for (const id of ids) expect(await listRunsOfSchedule(db, id)).toHaveLength(1);
    expect(await tick(noon)).toMatchObject({ asked: 0 });
  });

  test("makes up for a long silence once, and goes on from now", async () => {
    const { db, worker } = installation;
    const { id } = await schedule({ cron: "*/5 * * * *" });
    const back = minutes(3 * 60 + 2);
    await tick(back);
    await drainQueue(worker);
    await tick(back);
    expect(await listRunsOfSchedule(db, id)).toHaveLength(1);
    expect(await getSchedule(db, id)).toMatchObject({ nextRunAt: minutes(3 * 60 + 5) });
  });

  test("is read in its own time zone", async () => {
    const { id } = await schedule({ cron: "30 2 * * *", timeZone: "America/New_York" });
    await tick(noon);
    expect(await getSchedule(installation.db, id)).toMatchObject({
      nextRunAt: new Date("2031-06-03T06:30:00Z"),
    });
  });
});

test("control: without claiming, two workers ask twice", async () => {
  const { db } = installation;
  const { id } = await schedule();
  await db.query("create table if not exists unclaimed_requests (schedule_id uuid)");
  const look = () =>
    db.query("select 1 from schedule_states where schedule_id = $1 and next_run_at <= $2", [id, noon]);
  const found = await Promise.all([look(), look()]);
  for (const due of found)
    if (due.length > 0) await db.query("insert into unclaimed_requests values ($1)", [id]);
  expect(await db.query("select 1 from unclaimed_requests")).toHaveLength(2);
});

describe("what cannot run", () => {
  test("at a suspended tenant leaves one blocked run, and counts the repeats on it", async () => {
    const { db } = installation;
    const { id } = await schedule();
    await db.query("update tenants set lifecycle = 'suspended' where id = $1", [world.contoso.id]);
    for (const hours of [0, 1, 2]) await tick(minutes(60 * hours));
    const runs = await listRunsOfSchedule(db, id);
    expect(runs).toHaveLength(1);
    expect(await getRun(db, runs[0] ?? "")).toMatchObject({
      outcome: "blocked",
      reasonCode: "tenant_not_operable",
      startedAt: null,
      repeats: 2,
    });
    expect(await listJobsOf(db, runs[0] ?? "")).toEqual([]);
    await db.query("update tenants set lifecycle = 'active' where id = $1", [world.contoso.id]);
    await tick(minutes(180));
    expect(await listRunsOfSchedule(db, id)).toHaveLength(2);
  });

  test("is blocked also where a person could still start it: at a tenant being offboarded", async () => {
    const { db } = installation;
    const { id } = await schedule({ operation: "backup.create" });
    await db.query("update tenants set lifecycle = 'offboarding' where id = $1", [world.contoso.id]);
    await tick(noon);
    const [run = ""] = await listRunsOfSchedule(db, id);
    expect(await getRun(db, run)).toMatchObject({ reasonCode: "tenant_not_operable" });
  });

  test("keeps the repeats of two schedules of the same operation apart", async () => {
    const { db } = installation;
    const [one, two] = [await schedule(), await schedule()];
    await db.query("update tenants set lifecycle = 'suspended' where id = $1", [world.contoso.id]);
    await tick(noon);
    await tick(minutes(60));
    for (const { id } of [one, two]) {
      const runs = await listRunsOfSchedule(db, id);
      expect(runs).toHaveLength(1);
      expect(await getRun(db, runs[0] ?? "")).toMatchObject({ repeats: 1 });
    }
  });

  test("does not pile up behind a run that has not ended: its times are skipped, and counted", async () => {
    const { db, worker } = installation;
    const { id } = await schedule();
    await placeHold(db, { tenant: world.contoso });
    await tick(noon);
    await drainQueue(worker);
    expect(await tick(minutes(60))).toMatchObject({ skipped: 1, asked: 0 });
    expect(await tick(minutes(120))).toMatchObject({ skipped: 1, asked: 0 });
    expect(await listRunsOfSchedule(db, id)).toHaveLength(1);
    expect(await getSchedule(db, id)).toMatchObject({ skipped: 2, nextRunAt: minutes(180) });
    await db.query("delete from tenant_holds");
    await db.query("update graphile_worker._private_jobs set run_at = now()");
    await drainQueue(worker);
    await tick(minutes(180));
    expect(await listRunsOfSchedule(db, id)).toHaveLength(2);
    expect(await getSchedule(db, id)).toMatchObject({ skipped: 0 });
  });

  test("because it is paused asks for nothing, and does not make up for it later", async () => {
    const { db } = installation;
    const { id } = await schedule({ status: "paused" });
    expect(await tick(minutes(90))).toMatchObject({ paused: 1, asked: 0 });
    expect(await getSchedule(db, id)).toMatchObject({ nextRunAt: minutes(120) });
    expect(await listRunsOfSchedule(db, id)).toEqual([]);
  });

  test("because this release does not have its operation keeps no other from its turn", async () => {
    const strange = await schedule({ operation: "policies.tidy" });
    const other = await schedule();
    expect(await tick(noon)).toMatchObject({ unknown: 1, asked: 1 });
    expect(await listRunsOfSchedule(installation.db, strange.id)).toEqual([]);
    expect(await listRunsOfSchedule(installation.db, other.id)).toHaveLength(1);
  });

  test("is not its steward's absence: a schedule runs on without them", async () => {
    const { db, worker } = installation;
    const { id } = await schedule({ steward: world.omar });
    await db.query("delete from users where id = $1", [world.omar.id]);
    await tick(noon);
    await drainQueue(worker);
    const [run = ""] = await listRunsOfSchedule(db, id);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
    expect(await listNotifications(db, run)).toEqual([]);
  });
});

test("what it has asked for and has not ended is what pausing it is said to stop", async () => {
  const { db } = installation;
  const { id } = await schedule();
  const other = await schedule({ operation: "provider.connection.verify" });
  await tick(noon);
  expect(await previewRevocation(db, id)).toMatchObject({ queued: 1, running: 0, tenants: 1 });
  const receipt = await pauseSchedule(db, {
    actor: world.olivia,
    workspaceId: world.northwind.id,
    scheduleId: id,
    note: "",
  });
  expect(receipt.stops).toMatchObject({ queued: 1 });
  await drainQueue(installation.worker);
  const [run = ""] = await listRunsOfSchedule(db, id);
  expect(await getRun(db, run)).toMatchObject({
    outcome: "blocked",
    reasonCode: "system_authority_not_allowed",
    startedAt: null,
  });
  const [verified = ""] = await listRunsOfSchedule(db, other.id);
  expect(await getRun(db, verified)).toMatchObject({ outcome: "succeeded" });
});

test("one that cannot be decided now is left for the next tick, and others go on", async () => {
  const { db, url } = installation;
  const stuck = await schedule();
  const other = await createTenant(db, { workspace: world.northwind });
  const free = await schedule({ tenant: other, operation: "provider.connection.verify" });
  const release = await holdKey(url, "schedule", stuck.id);
  expect(await tick(noon)).toMatchObject({ asked: 1, failed: 1 });
  expect(await listRunsOfSchedule(db, free.id)).toHaveLength(1);
  await release();
  expect(await tick(noon)).toMatchObject({ asked: 1, failed: 0 });
  expect(await listRunsOfSchedule(db, stuck.id)).toHaveLength(1);
});
