import { beforeEach, describe, expect, test } from "@jest/globals";
import { askDue } from "../../server/domain/schedules/askDue.ts";
import { makeApp, signIn } from "../helpers/app.ts";
import { placeHold } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { count, getRun, listNotifications } from "../helpers/records.ts";
import { createSchedule, listRunsOfSchedule } from "../helpers/schedules.ts";

/** A run that nobody started notifies nobody, however it ends; people find it in monitoring (handbook 1). */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

type Case = { outcome: string; before?: string; waiting?: string };

/** How a schedule's run comes to its end. `before`: what was so when it was asked for; `waiting`: what became so then. */
const cases: Record<string, Case> = {
  "that succeeds": { outcome: "succeeded" },
  "that is blocked as it is asked for": {
    outcome: "blocked",
    before: "update tenants set lifecycle = 'suspended' where id = $1",
  },
  "that is blocked as it begins": {
    outcome: "blocked",
    waiting: "update tenants set lifecycle = 'suspended' where id = $1",
  },
  "whose schedule is paused while it waits": {
    outcome: "blocked",
    waiting: "update schedules set status = 'paused' where tenant_id = $1",
  },
};

describe.each(Object.entries(cases))("a scheduled run %s", (_name, { outcome, before, waiting }) => {
  test("notifies nobody and is in monitoring", async () => {
    const { db, worker } = installation;
    const { contoso, olivia } = world;
    const told = await count(db, "notifications");
    if (before !== undefined) await db.query(before, [contoso.id]);
    const run = await runOfSchedule();
    if (waiting !== undefined) await db.query(waiting, [contoso.id]);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ status: "completed", outcome });
    expect(await listNotifications(db, run)).toEqual([]);
    expect(await count(db, "notifications")).toBe(told);
    const browser = await signIn(makeApp(db), olivia.email);
    expect((await browser.get(`/admin/operations?outcome=${outcome}`)).text).toContain(run);
    expect((await browser.get("/admin/notifications")).text).not.toContain(run);
  });
});

test("its steward hears nothing, also when it is blocked again and again", async () => {
  const { db } = installation;
  await db.query("update tenants set lifecycle = 'suspended' where id = $1", [world.contoso.id]);
  const schedule = await schedules();
  for (const times of [1, 2, 3]) {
    await ask(schedule);
    expect(await listRunsOfSchedule(db, schedule)).toHaveLength(1);
    const [run = ""] = await listRunsOfSchedule(db, schedule);
    expect((await getRun(db, run)).repeats).toBe(times - 1);
    expect(await listNotifications(db, run)).toEqual([]);
  }
  expect(await db.query("select 1 from notifications where user_id = $1", [world.olivia.id])).toEqual([]);
});

test("control: the same work, asked for by a person, tells that person and nobody else", async () => {
  const { db, worker } = installation;
  await placeHold(db, { tenant: world.contoso });
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await db.query("update tenants set lifecycle = 'suspended' where id = $1", [world.contoso.id]);
  await db.query("delete from tenant_holds where tenant_id = $1", [world.contoso.id]);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "tenant_not_operable" });
  expect(await listNotifications(db, run)).toMatchObject([{ userId: world.omar.id }]);
});

async function runOfSchedule(): Promise<string> {
  const schedule = await schedules();
  await ask(schedule);
  const [run] = await listRunsOfSchedule(installation.db, schedule);
  if (run === undefined) throw new Error("The schedule asked for no run.");
  return run;
}

async function schedules(): Promise<string> {
  const { northwind, contoso, olivia } = world;
  const given = { workspace: northwind, tenant: contoso, steward: olivia, nextRunAt: new Date() };
  return (await createSchedule(installation.db, given)).id;
}

/** As its time comes. */
async function ask(schedule: string): Promise<void> {
  const { db } = installation;
  await db.query("update schedule_states set next_run_at = now() where schedule_id = $1", [schedule]);
  const now = new Date(Date.now() + 1_000);
  expect(await askDue(db, schedule, { now, expiresInHours: 24 })).toBe("asked");
}
