import { beforeEach, describe, expect, test } from "@jest/globals";
import { Conflict, Forbidden, Invalid, NotFound } from "../../../server/domain/errors.ts";
import { contractOf } from "../../../server/domain/operations/catalog.ts";
import { createSchedule as make } from "../../../server/domain/schedules/createSchedule.ts";
import { editSchedule } from "../../../server/domain/schedules/editSchedule.ts";
import {
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
} from "../../../server/domain/schedules/pauseSchedule.ts";
import { schedulableOperations } from "../../../server/domain/schedules/target.ts";
import { takeOver, transferSchedules } from "../../../server/domain/schedules/transferSchedules.ts";
import { changeLifecycle } from "../../../server/domain/tenants/changeLifecycle.ts";
import { useDatabase } from "../../helpers/database.ts";
import {
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "../../helpers/factories.ts";
import { listAudit } from "../../helpers/history.ts";
import { listActions } from "../../helpers/records.ts";
import { createRun } from "../../helpers/runs.ts";
import { createSchedule, findSchedule, getSchedule } from "../../helpers/schedules.ts";

const database = useDatabase();
let workspace: TestWorkspace;
let olivia: TestUser;
let contoso: TestTenant;
/** May change schedules and sync, but not back up. */
let clerk: TestUser;

beforeEach(async () => {
  const { db } = database;
  workspace = await createWorkspace(db);
  olivia = await createMember(db, { workspace, role: "owner", name: "Olivia" });
  contoso = await createTenant(db, { workspace, name: "Contoso" });
  const capabilities = ["schedule.view", "schedule.manage", "inventory.sync"];
  await createRole(db, { workspace, key: "clerk", capabilities });
  clerk = await createMember(db, { workspace, role: "clerk", name: "Clerk" });
});

const wanted = {
  operation: "backup.create",
  types: ["deviceConfigurations"],
  cron: "30 2 * * *",
  timeZone: "Europe/Berlin",
} as const;

const by = (actor: TestUser, scheduleId: string) => ({ actor, workspaceId: workspace.id, scheduleId });

function ask(actor: TestUser, changed: Partial<Parameters<typeof make>[1]["wanted"]> = {}): Promise<string> {
  return make(database.db, {
    actor,
    workspaceId: workspace.id,
    wanted: { ...wanted, tenantId: contoso.id, ...changed },
  });
}

const given = (changed: Partial<Parameters<typeof createSchedule>[1]> = {}) =>
  createSchedule(database.db, { workspace, tenant: contoso, steward: olivia, ...changed });

test("only what consents to system authority is offered", () => {
  expect(schedulableOperations.length).toBeGreaterThan(0);
  for (const name of schedulableOperations)
    expect(contractOf(name).authorityModes).toContain("system_authority");
});

describe("making a schedule", () => {
  test("makes whoever made it its steward, says when it runs next, and is audited", async () => {
    const { db } = database;
    const id = await ask(olivia);
    const { nextRunAt, ...schedule } = await getSchedule(db, id);
    expect(schedule).toMatchObject({ status: "active", stewardId: olivia.id, cron: "30 2 * * *" });
    expect(nextRunAt?.getTime()).toBeGreaterThan(Date.now());
    expect(await listAudit(db, id)).toMatchObject([
      { action: "schedule.created", actorId: olivia.id, tenantId: contoso.id, outcome: "done" },
    ]);
  });

  test("needs the operation's own capability, or it would be a way around one's rights", async () => {
    await expect(ask(clerk)).rejects.toThrow(new Forbidden("backup.create"));
    await expect(ask(clerk, { operation: "inventory.sync" })).resolves.toBeDefined();
    const operator = await createMember(database.db, { workspace, role: "operator" });
    await expect(ask(operator)).rejects.toThrow(new Forbidden("schedule.manage"));
  });

  test("needs both at the tenant it is for", async () => {
    const { db } = database;
    const elsewhere = await createTenant(db, { workspace });
    const local = await createMember(db, { workspace, role: "manager", tenant: elsewhere });
    await expect(ask(local)).rejects.toThrow(NotFound);
    await expect(ask(local, { tenantId: elsewhere.id })).resolves.toBeDefined();
    const foreign = await createTenant(db, { workspace: await createWorkspace(db) });
    await expect(ask(olivia, { tenantId: foreign.id })).rejects.toThrow(NotFound);
  });

  test.each(["onboarding", "archived"] as const)("is refused at a tenant that is %s", async (lifecycle) => {
    const tenant = await createTenant(database.db, { workspace, lifecycle });
    await expect(ask(olivia, { tenantId: tenant.id })).rejects.toMatchObject({
      fields: { tenant: expect.stringContaining("once it is active") },
    });
  });

  test("for all tenants needs both at all of them, and is for an operation that is about all", async () => {
    const { db } = database;
    const all = { operation: "tenants.bulk_sync", tenantId: null } as const;
    const id = await ask(clerk, all);
    expect(await listAudit(db, id)).toMatchObject([{ action: "schedule.created", tenantId: null }]);
    const local = await createMember(db, { workspace, role: "manager", tenant: contoso });
    await expect(ask(local, all)).rejects.toThrow(new Forbidden("schedule.manage"));
    // As for one that is not there: nothing tells that there is this one.
    await expect(takeOver(db, by(local, id))).rejects.toThrow(NotFound);
    await createRole(db, { workspace, key: "keeper", capabilities: ["schedule.view", "schedule.manage"] });
    const keeper = await createMember(db, { workspace, role: "keeper" });
    await expect(ask(keeper, all)).rejects.toThrow(new Forbidden("inventory.sync"));
    const onlyOne = { operation: "tenants.bulk_sync" } as const;
    const everywhere = { operation: "inventory.sync", tenantId: null } as const;
    for (const wrong of [onlyOne, everywhere])
      await expect(ask(olivia, wrong)).rejects.toMatchObject({ fields: { tenant: expect.anything() } });
  });

  test("is refused for what a person has to start, for nothing to work on, and for times it cannot keep", async () => {
    await expect(ask(olivia, { operation: "restore.execute" })).rejects.toThrow(Invalid);
    await expect(ask(olivia, { types: [] })).rejects.toMatchObject({ fields: { types: expect.anything() } });
    await expect(ask(olivia, { cron: "* * * * *", timeZone: "Nowhere" })).rejects.toMatchObject({
      fields: { cron: expect.anything(), time_zone: expect.anything() },
    });
  });
});

describe("editing", () => {
  test("moves the next time with the times, and says what was before", async () => {
    const { db } = database;
    const { id } = await given({ cron: "0 * * * *" });
    const change = { cron: "15 3 * * *", timeZone: "UTC", types: ["deviceConfigurations"] };
    await editSchedule(db, { ...by(olivia, id), wanted: change });
    const { cron, nextRunAt } = await getSchedule(db, id);
    expect(cron).toBe("15 3 * * *");
    expect(nextRunAt?.toISOString()).toMatch(/T03:15:00/);
    expect((await listAudit(db, id)).at(-1)?.details).toMatchObject({
      before: { cron: "0 * * * *" },
      after: { cron: "15 3 * * *" },
    });
  });

  test("leaves a time that has come already when the times stay", async () => {
    const due = new Date("2026-01-01T00:00:00Z");
    const { id } = await given({ cron: "0 * * * *", nextRunAt: due });
    const change = { cron: "0 * * * *", timeZone: "UTC", types: ["conditionalAccessPolicies"] };
    await editSchedule(database.db, { ...by(olivia, id), wanted: change });
    expect(await getSchedule(database.db, id)).toMatchObject({ nextRunAt: due });
  });

  test("and resuming need the operation's own capability; pausing and deleting do not", async () => {
    const { db } = database;
    const { id } = await given({ operation: "backup.create" });
    const change = { cron: "0 * * * *", timeZone: "UTC", types: ["deviceConfigurations"] };
    const lacking = new Forbidden("backup.create");
    await expect(editSchedule(db, { ...by(clerk, id), wanted: change })).rejects.toThrow(lacking);
    await expect(takeOver(db, by(clerk, id))).rejects.toThrow(lacking);
    await pauseSchedule(db, { ...by(clerk, id), note: "" });
    await expect(resumeSchedule(db, by(clerk, id))).rejects.toThrow(lacking);
    await deleteSchedule(db, by(clerk, id));
    expect(await findSchedule(db, id)).toBeUndefined();
  });
});

describe("pausing, resuming, deleting", () => {
  test("keep the reason while it is paused, and go on from the next time", async () => {
    const { db } = database;
    const { id } = await given({ nextRunAt: new Date("2026-01-01T00:00:00Z") });
    const receipt = await pauseSchedule(db, { ...by(olivia, id), note: " too loud " });
    expect(receipt).toMatchObject({ name: "Sync inventory at Contoso", stops: { queued: 0, running: 0 } });
    expect(await getSchedule(db, id)).toMatchObject({ status: "paused", pauseNote: "too loud" });
    await resumeSchedule(db, by(olivia, id));
    const { nextRunAt, ...resumed } = await getSchedule(db, id);
    expect(resumed).toMatchObject({ status: "active", pauseNote: null });
    expect(nextRunAt?.getTime()).toBeGreaterThan(Date.now());
    expect(await listActions(db, id)).toEqual(["schedule.paused", "schedule.resumed"]);
  });

  test("twice is a conflict", async () => {
    const { db } = database;
    const { id } = await given();
    await expect(resumeSchedule(db, by(olivia, id))).rejects.toThrow(Conflict);
    await pauseSchedule(db, { ...by(olivia, id), note: "" });
    await expect(pauseSchedule(db, { ...by(olivia, id), note: "" })).rejects.toThrow(Conflict);
    await deleteSchedule(db, by(olivia, id));
    await expect(deleteSchedule(db, by(olivia, id))).rejects.toThrow(NotFound);
  });

  test("are not there for the owner of another workspace", async () => {
    const { db } = database;
    const { id } = await given();
    const other = await createWorkspace(db);
    const stranger = await createMember(db, { workspace: other, role: "owner" });
    const asStranger = { actor: stranger, workspaceId: workspace.id, scheduleId: id };
    const fromElsewhere = { actor: stranger, workspaceId: other.id, scheduleId: id };
    for (const request of [asStranger, fromElsewhere])
      await expect(pauseSchedule(db, { ...request, note: "" })).rejects.toThrow(NotFound);
  });
});

describe("a new steward", () => {
  test("is whoever takes it over", async () => {
    const { db } = database;
    const { id } = await given();
    await takeOver(db, by(clerk, id));
    expect(await getSchedule(db, id)).toMatchObject({ stewardId: clerk.id });
    expect(await listActions(db, id)).toEqual(["schedule.taken_over"]);
  });

  test("can be given many at once, and what is theirs already stays as it is", async () => {
    const { db } = database;
    const manager = await createMember(db, { workspace, role: "manager", name: "Mia" });
    const ids = [];
    for (const steward of [olivia, clerk, manager]) ids.push((await given({ steward })).id);
    const transfer = { actor: olivia, workspaceId: workspace.id, scheduleIds: ids, stewardId: manager.id };
    expect(await transferSchedules(db, transfer)).toEqual({ steward: "Mia", moved: 2 });
    for (const id of ids) expect(await getSchedule(db, id)).toMatchObject({ stewardId: manager.id });
    expect(await listActions(db, ids[2] ?? "")).toEqual([]);
  });

  test("must hold what each of them needs, or none is given", async () => {
    const { db } = database;
    const [sync, backup] = [await given(), await given({ operation: "backup.create" })];
    const transfer = {
      actor: olivia,
      workspaceId: workspace.id,
      scheduleIds: [sync.id, backup.id],
      stewardId: clerk.id,
    };
    await expect(transferSchedules(db, transfer)).rejects.toMatchObject({
      fields: {
        steward: expect.stringContaining("Clerk needs backup.create for “Back up policies at Contoso”"),
      },
    });
    expect(await getSchedule(db, sync.id)).toMatchObject({ stewardId: olivia.id });
  });

  test("is nobody from outside the workspace, and nothing is nobody's to give", async () => {
    const { db } = database;
    const { id } = await given();
    const stranger = await createMember(db, { workspace: await createWorkspace(db), role: "owner" });
    const transfer = { actor: olivia, workspaceId: workspace.id, scheduleIds: [id], stewardId: stranger.id };
    await expect(transferSchedules(db, transfer)).rejects.toThrow(NotFound);
    await expect(transferSchedules(db, { ...transfer, scheduleIds: [] })).rejects.toThrow(Invalid);
  });
});

test("archiving a tenant removes its schedules, each audited, and stops their runs", async () => {
  const { db } = database;
  const tenant = await createTenant(db, { workspace, name: "Litware", lifecycle: "offboarding" });
  const ids = [(await given({ tenant })).id, (await given({ tenant })).id];
  const kept = await given();
  await createRun(db, { workspace, tenant, status: "queued" });
  const step = { actor: olivia, workspaceId: workspace.id, tenantId: tenant.id, typedName: "Litware" };
  await changeLifecycle(db, { ...step, to: "archived" });
  for (const id of ids) {
    expect(await findSchedule(db, id)).toBeUndefined();
    expect(await listAudit(db, id)).toMatchObject([
      { action: "schedule.deleted", actorId: olivia.id, details: { why: "the tenant was archived" } },
    ]);
  }
  expect(await findSchedule(db, kept.id)).toBeDefined();
  expect((await listAudit(db, tenant.id)).at(-1)?.details).toMatchObject({ schedulesRemoved: 2 });
});

test("suspending a tenant keeps its schedules", async () => {
  const { db } = database;
  const { id } = await given();
  const step = { actor: olivia, workspaceId: workspace.id, tenantId: contoso.id };
  await changeLifecycle(db, { ...step, to: "suspended" });
  expect(await getSchedule(db, id)).toMatchObject({ status: "active" });
});

test("what a schedule is for never changes", async () => {
  const { db } = database;
  const { id } = await given();
  const other = await createTenant(db, { workspace });
  for (const change of ["operation = 'backup.create'", `tenant_id = '${other.id}'`, "tenant_id = null"])
    await expect(db.query(`update schedules set ${change} where id = $1`, [id])).rejects.toMatchObject({
      code: "42501",
    });
});
