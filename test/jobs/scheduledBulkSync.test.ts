import { beforeEach, describe, expect, test } from "@jest/globals";
import { scheduleTick } from "../../jobs/maintenance/scheduleTick.ts";
import { pauseSchedule } from "../../server/domain/schedules/pauseSchedule.ts";
import { addTenant, putDirectory } from "../helpers/backups.ts";
import { createTenant, placeHold, type TestTenant } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, makeJobsDue } from "../helpers/queue.ts";
import { count, getRun } from "../helpers/records.ts";
import { createSchedule, getSchedule, listRunsOfSchedule } from "../helpers/schedules.ts";

/** The clock of these tests, ahead of the real one, so that nothing else is due. */
const noon = new Date("2031-06-02T12:00:00Z");
const hours = (count: number) => new Date(noon.getTime() + count * 3_600_000);

const installation = useInstallation();
let world: Northwind;
let fabrikam: TestTenant;
let scheduleId: string;

beforeEach(async () => {
  const { db } = installation;
  await db.query("delete from schedules");
  world = await seedNorthwind(installation, { policies: 3 });
  fabrikam = await addTenant(installation, world, "Fabrikam");
  await putDirectory(installation, fabrikam, { policies: 3 });
  const { northwind, olivia } = world;
  const given = { workspace: northwind, tenant: null, steward: olivia, nextRunAt: noon };
  scheduleId = (await createSchedule(db, { ...given, operation: "tenants.bulk_sync" })).id;
});

const tick = (now: Date) => scheduleTick(installation.worker, { now, expiresInHours: 24 });

/** The parents it has asked for, oldest first. */
async function parents(): Promise<string[]> {
  const rows = await installation.db.query<{ id: string }>(
    "select id from operation_runs where schedule_id = $1 and parent_run_id is null order by id",
    [scheduleId],
  );
  return rows.map(({ id }) => id);
}

async function tenantsOf(parentId: string): Promise<string[]> {
  const rows = await installation.db.query<{ id: string }>(
    "select tenant_id as id from operation_runs where parent_run_id = $1",
    [parentId],
  );
  return rows.map(({ id }) => id).sort();
}

const setLifecycle = (tenant: TestTenant, lifecycle: string) =>
  installation.db.query("update tenants set lifecycle = $2 where id = $1", [tenant.id, lifecycle]);

describe("a schedule for all tenants", () => {
  test("asks under system authority for a sync of each that can be synced then, and notifies nobody", async () => {
    const { db, worker } = installation;
    const before = await count(db, "notifications");
    // Neither is in reach: one has no connection that is verified, one is not active.
    await createTenant(db, { workspace: world.northwind });
    await createTenant(db, { workspace: world.northwind, lifecycle: "suspended" });
    await createTenant(db, { workspace: world.northwind, lifecycle: "archived" });
    expect(await tick(noon)).toMatchObject({ asked: 1, failed: 0 });
    await drainQueue(worker);
    const [parent = ""] = await parents();
    expect(await getRun(db, parent)).toMatchObject({ outcome: "succeeded", tally: { synced: 2 } });
    expect(await tenantsOf(parent)).toEqual([world.contoso.id, fabrikam.id].sort());
    const [frozen] = await db.query("select target, initiator_id from operation_runs where id = $1", [
      parent,
    ]);
    // Of those that are not archived: what was left out is a count without names.
    expect(frozen).toMatchObject({
      initiator_id: null,
      target: { leftOut: 2, types: ["deviceConfigurations"] },
    });
    expect(await count(db, "notifications")).toBe(before);
  });

  test("takes the tenants of each time anew", async () => {
    const { worker } = installation;
    await tick(noon);
    await drainQueue(worker);
    await setLifecycle(fabrikam, "suspended");
    await tick(hours(1));
    await drainQueue(worker);
    const [, second = ""] = await parents();
    expect(await tenantsOf(second)).toEqual([world.contoso.id]);
  });

  test("takes none of another workspace", async () => {
    await seedNorthwind(installation, { policies: 0 });
    await tick(noon);
    // Their own gates would refuse those, too: none must have been asked for.
    const [frozen] = await installation.db.query<{ target: { tenantIds: string[] } }>(
      "select target from operation_runs where schedule_id = $1",
      [scheduleId],
    );
    expect(frozen?.target.tenantIds.toSorted()).toEqual([world.contoso.id, fabrikam.id].sort());
  });

  test("blocks, by its own gate, a tenant that is suspended after it was asked for", async () => {
    const { db, worker } = installation;
    await tick(noon);
    await setLifecycle(fabrikam, "suspended");
    await drainQueue(worker);
    const [parent = ""] = await parents();
    expect(await getRun(db, parent)).toMatchObject({
      outcome: "partially_succeeded",
      tally: { synced: 1, blocked: 1 },
    });
  });

  test("does not pile up while tenants wait, and stops with all it asked for when it is paused", async () => {
    const { db, worker } = installation;
    await placeHold(db, { tenant: fabrikam });
    await tick(noon);
    await drainQueue(worker);
    expect(await tick(hours(1))).toMatchObject({ skipped: 1, asked: 0 });
    const { olivia: actor, northwind } = world;
    await pauseSchedule(db, { actor, workspaceId: northwind.id, scheduleId, note: "" });
    await db.query("delete from tenant_holds");
    await makeJobsDue(db);
    await drainQueue(worker);
    const [parent = ""] = await parents();
    expect(await getRun(db, parent)).toMatchObject({ tally: { synced: 1, blocked: 1 } });
    const runs = await Promise.all((await listRunsOfSchedule(db, scheduleId)).map((id) => getRun(db, id)));
    expect(runs.map(({ reasonCode }) => reasonCode)).toContain("system_authority_not_allowed");
  });

  test("that finds no tenant asks for nothing and counts that, until there is one again", async () => {
    const { db, worker } = installation;
    for (const tenant of [world.contoso, fabrikam]) await setLifecycle(tenant, "suspended");
    for (const at of [0, 1]) expect(await tick(hours(at))).toMatchObject({ nowhere: 1, asked: 0 });
    expect(await parents()).toEqual([]);
    expect(await getSchedule(db, scheduleId)).toMatchObject({ foundNone: 2, nextRunAt: hours(2) });
    await setLifecycle(fabrikam, "active");
    expect(await tick(hours(2))).toMatchObject({ asked: 1 });
    await drainQueue(worker);
    expect(await getSchedule(db, scheduleId)).toMatchObject({ foundNone: 0 });
  });
});
