import { beforeEach, describe, expect, test } from "@jest/globals";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { askDue } from "../../server/domain/schedules/askDue.ts";
import { type Browser, makeApp, signIn, submit, type TestApp, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  addMember,
  createConnection,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  placeHold,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { createRun } from "../helpers/runs.ts";
import { createSchedule, findSchedule, getSchedule, listRunsOfSchedule } from "../helpers/schedules.ts";
import { getStoredRun } from "../races/restoring.ts";

const database = useDatabase();
let app: TestApp;
let workspace: TestWorkspace;
let contoso: TestTenant;
let olivia: TestUser;
let browser: Browser;

beforeEach(async () => {
  const { db } = database;
  app = makeApp(db);
  workspace = await createWorkspace(db, { name: "Northwind" });
  contoso = await createTenant(db, { workspace, name: "Contoso" });
  await createConnection(db, { tenant: contoso });
  olivia = await createMember(db, { workspace, role: "owner", name: "Olivia" });
  browser = await signIn(app, olivia.email);
});

const given = (changed: Partial<Parameters<typeof createSchedule>[1]> = {}) =>
  createSchedule(database.db, {
    workspace,
    tenant: contoso,
    steward: olivia,
    cron: "30 2 * * *",
    ...changed,
  });

const form = (changed: Record<string, string> = {}) => ({
  operation: "backup.create",
  tenant: contoso.id,
  cron: "30 2 * * *",
  time_zone: "Europe/Berlin",
  types: "deviceConfigurations",
  ...changed,
});

describe("the list", () => {
  test("is empty with a way to begin, and says by what it is narrowed", async () => {
    const empty = await browser.get("/admin/schedules");
    expect(empty.text).toContain("No schedules yet");
    expect(empty.text).toContain('href="/admin/schedules/new"');
    const narrowed = await browser.get(`/admin/schedules?kind=paused&tenant=${contoso.id}`);
    expect(narrowed.text).toContain("The list is narrowed to: paused, Contoso.");
  });

  test("shows when, next, how it ended last with a link, and who answers for it", async () => {
    const { db } = database;
    const { id } = await given();
    const run = await createRun(db, { workspace, tenant: contoso, ending: { outcome: "succeeded" } });
    await db.query("update schedule_states set last_run_id = $2 where schedule_id = $1", [id, run.id]);
    const { text } = await browser.get("/admin/schedules");
    for (const shown of ["Sync inventory", "Contoso", "Every day at 02:30", "Olivia", "Succeeded"])
      expect(text).toContain(shown);
    expect(text).toContain(`href="/admin/operations/${run.id}"`);
    expect(text).toMatch(/<a href="\/admin\/schedules" aria-current="page">/);
  });

  test("leads with what needs somebody, and counts it", async () => {
    const { db } = database;
    const gone = await createMember(db, { workspace, role: "manager", name: "Gone" });
    const adatum = await createTenant(db, { workspace, name: "Adatum" });
    await given({ tenant: adatum });
    const orphan = await given({ steward: gone });
    await db.query("delete from memberships where user_id = $1", [gone.id]);
    const { text } = await browser.get("/admin/schedules");
    expect(text.indexOf("Contoso</span>")).toBeLessThan(text.indexOf("Adatum</span>"));
    expect(text).toContain("needs a new one");
    const page = await browser.get(`/admin/schedules/${orphan.id}`);
    expect(page.text).toContain("It needs a new steward: Gone has left or may no longer do this.");
    const narrowed = await browser.get("/admin/schedules?kind=steward");
    expect(narrowed.text).toContain(orphan.id);
    expect(narrowed.text).not.toContain("Adatum</span>");
  });

  test("says that a schedule is paused because of its tenant", async () => {
    const { id } = await given();
    await database.db.query("update tenants set lifecycle = 'suspended' where id = $1", [contoso.id]);
    expect((await browser.get("/admin/schedules")).text).toContain("Paused: tenant suspended");
    const page = await browser.get(`/admin/schedules/${id}`);
    expect(page.text).toContain(
      "It is paused because Contoso is suspended, and goes on when the tenant is active",
    );
  });

  test("says of an active one that its next run would be blocked as things stand", async () => {
    const { db } = database;
    const [{ id }] = [await given(), await given({ status: "paused" })];
    await db.query("update provider_connections set status = 'unverified' where tenant_id = $1", [
      contoso.id,
    ]);
    const { text } = await browser.get("/admin/schedules");
    expect(text.match(/A run now would be blocked: the connection of Contoso cannot be used/g)).toHaveLength(
      1,
    );
    expect(text.indexOf(id)).toBeLessThan(text.indexOf("A run now would be blocked"));
  });

  test("finds a steward able by what their roles allow together at its target, and nowhere else", async () => {
    const { db } = database;
    const adatum = await createTenant(db, { workspace, name: "Adatum" });
    await createRole(db, { workspace, key: "keeper", capabilities: ["schedule.manage"] });
    await createRole(db, { workspace, key: "syncer", capabilities: ["inventory.sync"] });
    const steward = await createMember(db, { workspace, role: "keeper", name: "Stu" });
    await addMember(db, { workspace, user: steward, role: "syncer", tenant: contoso });
    const able = await given({ steward });
    const unable = [
      await given({ steward, tenant: adatum }),
      await given({ steward, operation: "backup.create" }),
      await given({ steward, tenant: null, operation: "tenants.bulk_sync" }),
      await given({ steward, operation: "policies.tidy" }),
    ];
    const { text } = await browser.get("/admin/schedules?kind=steward");
    expect(text).not.toContain(`schedule-${able.id}`);
    for (const { id } of unable) expect(text).toContain(`schedule-${id}`);
    await db.query("update role_assignments set expires_at = now() where user_id = $1 and tenant_id = $2", [
      steward.id,
      contoso.id,
    ]);
    expect((await browser.get("/admin/schedules?kind=steward")).text).toContain(`schedule-${able.id}`);
  });

  test("leads with one whose last run was blocked, as it was asked for or later, until the next does well", async () => {
    const { db } = database;
    const { id } = await given({ cron: "0 * * * *" });
    const needing = async () =>
      (await browser.get("/admin/schedules?kind=attention")).text.includes(`schedule-${id}`);
    const ask = async (hours: number) => {
      await askDue(db, id, { now: new Date(Date.now() + hours * 3_600_000), expiresInHours: 24 });
      return (await listRunsOfSchedule(db, id)).at(-1) ?? "";
    };
    const setStatus = (status: string) =>
      db.query("update provider_connections set status = $2 where tenant_id = $1", [contoso.id, status]);
    await setStatus("unverified");
    await ask(2);
    expect(await needing()).toBe(true);
    await setStatus("verified");
    const second = await ask(4);
    expect(await needing()).toBe(false);
    await db.transaction(async (tx) => {
      const ending = { outcome: "failed", code: "internal_error", message: "It broke." } as const;
      await finishRuns(tx, [{ run: await getStoredRun(database, second), ending }]);
    });
    expect((await browser.get(`/admin/schedules/${id}`)).text).toContain("Its last run failed.");
    await ask(6);
    expect(await needing()).toBe(false);
  });

  test("names no tenant that belongs to another workspace by now", async () => {
    const { db } = database;
    const { id } = await given();
    const other = await createWorkspace(db);
    await db.query("update tenants set workspace_id = $2 where id = $1", [contoso.id, other.id]);
    for (const page of ["/admin/schedules", `/admin/schedules/${id}`])
      expect((await browser.get(page)).text).not.toContain("Contoso");
  });

  test("pages through many, each once", async () => {
    for (let made = 0; made < 53; made += 1) await given({ status: made % 2 === 0 ? "active" : "paused" });
    const first = await browser.get("/admin/schedules");
    const next = /rel="next" href="([^"]+)"/.exec(first.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const second = await browser.get(next);
    const ids = [first, second].flatMap(({ text }) => [...text.matchAll(/id="schedule-([\w-]+)"/g)]);
    expect(new Set(ids.map(([, id]) => id)).size).toBe(53);
    expect(ids).toHaveLength(53);
  });

  test("holds only schedules at tenants one is entitled to, and none without a tenant", async () => {
    const { db } = database;
    const adatum = await createTenant(db, { workspace, name: "Adatum" });
    const local = await createMember(db, { workspace, role: "manager", tenant: adatum });
    const [hidden, wide, shown] = [
      await given(),
      await given({ tenant: null }),
      await given({ tenant: adatum }),
    ];
    const theirs = await signIn(app, local.email);
    const { text } = await theirs.get("/admin/schedules");
    expect(text).toContain(shown.id);
    for (const { id } of [hidden, wide]) {
      expect(text).not.toContain(id);
      expect((await theirs.get(`/admin/schedules/${id}`)).status).toBe(404);
    }
    expect((await browser.get(`/admin/schedules/${wide.id}`)).status).toBe(200);
  });

  test("lets those who may only look neither choose nor make", async () => {
    const { id } = await given();
    const reader = await createMember(database.db, { workspace, role: "readonly" });
    const theirs = await signIn(app, reader.email);
    const { text } = await theirs.get("/admin/schedules");
    expect(text).toContain(id);
    expect(text).not.toContain("New schedule");
    expect(text).not.toContain('type="checkbox"');
    const page = await theirs.get(`/admin/schedules/${id}`);
    expect(page.text).not.toContain("Pause …");
  });

  test("keeps outcomes from those who may not see operations", async () => {
    const { db } = database;
    const { id } = await given();
    const run = await createRun(db, { workspace, tenant: contoso, ending: { outcome: "failed" } });
    await db.query(
      "update schedule_states set last_run_id = $2, last_outcome = 'failed' where schedule_id = $1",
      [id, run.id],
    );
    expect((await browser.get(`/admin/schedules/${id}`)).text).toContain("Its last run failed");
    await createRole(db, { workspace, key: "timekeeper", capabilities: ["schedule.view"] });
    const keeper = await createMember(db, { workspace, role: "timekeeper" });
    const theirs = await signIn(app, keeper.email);
    for (const page of ["/admin/schedules", `/admin/schedules/${id}`]) {
      const { text } = await theirs.get(page);
      expect(text).not.toContain(run.id);
      expect(text).not.toContain("Its last run failed");
    }
  });
});

describe("a new schedule", () => {
  test("is made from the form, and its page says when it runs and whether that would be allowed", async () => {
    const answer = await submit(browser, "/admin/schedules/new", "/admin/schedules", form());
    expect(answer.status).toBe(303);
    const page = await browser.get(answer.headers.location ?? "");
    for (const shown of [
      "Back up policies at Contoso",
      "Every day at 02:30, Europe/Berlin time",
      "Device configurations",
      "A run now would be allowed.",
      "It has not asked for a run yet.",
      "you are its steward",
    ])
      expect(page.text).toContain(shown);
    expect(
      [...page.text.matchAll(/<ol class="plain small">.*?<\/ol>/gs)].join("").match(/<time /g),
    ).toHaveLength(5);
  });

  test("can be for all tenants, where one's role covers them; its page says where that would be now", async () => {
    const { db } = database;
    await createTenant(db, { workspace });
    const all = form({ operation: "tenants.bulk_sync", tenant: "all" });
    const answer = await submit(browser, "/admin/schedules/new", "/admin/schedules", all);
    expect(answer.status).toBe(303);
    const { text } = await browser.get(answer.headers.location ?? "");
    for (const shown of [
      "Sync many tenants",
      "All tenants of the workspace",
      "Device configurations",
      "At 1 tenant if its time came now; 1 tenant would be left out",
      "A run now would be allowed.",
    ])
      expect(text).toContain(shown);
    expect((await browser.get("/admin/schedules")).text).toContain("All tenants</span>");
    const local = await createMember(db, { workspace, role: "manager", tenant: contoso });
    const theirs = await signIn(app, local.email);
    expect((await theirs.get("/admin/schedules/new")).text).not.toContain('value="all"');
    expect((await submit(theirs, "/admin/schedules/new", "/admin/schedules", all)).status).toBe(403);
  });

  test("can be looked at before it is saved", async () => {
    const fields = form({ intent: "look", cron: "0 6 * * 1-5" });
    const answer = await submit(browser, "/admin/schedules/new", "/admin/schedules", fields);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain("Monday to Friday at 06:00");
    expect(answer.text.match(/<li><time /g)).toHaveLength(5);
    expect(
      await database.db.query("select 1 from schedules where workspace_id = $1", [workspace.id]),
    ).toEqual([]);
  });

  test.each([
    [{ cron: "* * * * *" }, "leave at least 5 minutes"],
    [{ cron: "every night" }, "Give five fields"],
    [{ time_zone: "Mars/Olympus" }, "Choose a time zone by its name"],
    [{ types: "" }, "Choose at least one kind of policy"],
    [{ tenant: "" }, "Choose a tenant."],
    [{ tenant: "all" }, "“Back up policies” is for one tenant"],
    [{ operation: "tenants.bulk_sync" }, "“Sync many tenants” is for all tenants"],
    [{ operation: "restore.execute" }, "may run on a schedule"],
  ])("with %j is shown again with what is wrong and what was entered", async (wrong, problem) => {
    const fields = { ...form({ cron: "17 4 * * *" }), ...wrong };
    const answer = await submit(browser, "/admin/schedules/new", "/admin/schedules", fields);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(problem);
    expect(answer.text).toContain('role="alert"');
    expect(answer.text).toContain(`value="${fields.cron}"`);
  });

  test("cannot be made for what one may not start oneself, or where one sees nothing", async () => {
    const { db } = database;
    await createRole(db, { workspace, key: "clerk", capabilities: ["schedule.view", "schedule.manage"] });
    const clerk = await createMember(db, { workspace, role: "clerk" });
    const theirs = await signIn(app, clerk.email);
    const refused = await submit(theirs, "/admin/schedules/new", "/admin/schedules", form());
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("<code>backup.create</code>");
    const foreign = await createTenant(db, { workspace: await createWorkspace(db) });
    const absent = form({ tenant: foreign.id });
    expect((await submit(browser, "/admin/schedules/new", "/admin/schedules", absent)).status).toBe(404);
  });
});

describe("a schedule's page", () => {
  test.each([
    ["update tenants set lifecycle = 'suspended' where id = $1", "would be blocked: Contoso is suspended"],
    [
      "update provider_connections set status = 'invalid', cause = 'The secret was refused.' where tenant_id = $1",
      "would be blocked: the connection of Contoso cannot be used: The secret was refused",
    ],
  ])("says what would stand in the way now (%#)", async (sql, words) => {
    const { id } = await given();
    await database.db.query(sql, [contoso.id]);
    expect((await browser.get(`/admin/schedules/${id}`)).text).toContain(words);
  });

  test("says that a run would wait while the tenant is held", async () => {
    const { id } = await given();
    await placeHold(database.db, { tenant: contoso, reason: "rotating keys" });
    expect((await browser.get(`/admin/schedules/${id}`)).text).toContain("A run now would wait: on hold by");
  });

  test("says of one for all tenants that it found none, and of its run how many were left out", async () => {
    const { db } = database;
    const { id } = await given({ tenant: null, operation: "tenants.bulk_sync" });
    const at = (hours: number) => ({ now: new Date(Date.now() + hours * 3_600_000), expiresInHours: 24 });
    await db.query("update tenants set lifecycle = 'suspended' where id = $1", [contoso.id]);
    await askDue(db, id, at(2));
    const nowhere = (await browser.get(`/admin/schedules/${id}`)).text;
    expect(nowhere).toContain("there was no tenant to sync");
    expect(nowhere).toContain("Nothing would be asked for now: no tenant is active");
    expect((await browser.get("/admin/schedules?kind=attention")).text).toContain(id);
    await db.query("update tenants set lifecycle = 'active' where id = $1", [contoso.id]);
    await createTenant(db, { workspace });
    await askDue(db, id, at(50));
    const [run = ""] = await listRunsOfSchedule(db, id);
    expect((await browser.get(`/admin/operations/${run}`)).text).toContain(
      "When it was asked for, 1 tenant was left out: not active, or without a verified connection.",
    );
    expect((await browser.get(`/admin/schedules/${id}`)).text).not.toContain("there was no tenant to sync");
  });

  test("lists its runs, and theirs leads back to it for as long as it is there", async () => {
    const { db } = database;
    const { id } = await given();
    await askDue(db, id, { now: new Date(Date.now() + 7_200_000), expiresInHours: 24 });
    const page = await browser.get(`/admin/schedules/${id}`);
    const [run = ""] = await listRunsOfSchedule(db, id);
    expect(page.text).toContain(`href="/admin/operations/${run}"`);
    const runPage = await browser.get(`/admin/operations/${run}`);
    expect(runPage.text).toContain(`href="/admin/schedules/${id}"`);
    expect(runPage.text).toContain("by its schedule");
    await db.query("delete from schedules where id = $1", [id]);
    expect((await browser.get(`/admin/operations/${run}`)).text).not.toContain("/admin/schedules/0");
  });

  test("is edited in place, and keeps what was entered when it cannot be used", async () => {
    const { id } = await given();
    const address = `/admin/schedules/${id}/edit`;
    const wrong = await submit(browser, address, address, form({ cron: "0 0 30 2 *" }));
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('value="0 0 30 2 *"');
    const done = await submit(browser, address, address, form({ cron: "0 5 * * *" }));
    expect(done.status).toBe(303);
    expect(await getSchedule(database.db, id)).toMatchObject({ cron: "0 5 * * *" });
  });

  test("pauses with what that stops said before and after, resumes, and deletes", async () => {
    const { db } = database;
    const { id } = await given();
    const address = `/admin/schedules/${id}`;
    const confirm = await browser.get(`${address}/pause`);
    expect(confirm.text).toContain("Pausing it blocks no run that is waiting or running.");
    await submit(browser, `${address}/pause`, `${address}/pause`, { note: "freeze week" });
    const paused = await browser.get(address);
    expect(paused.text).toContain("freeze week");
    expect(paused.text).toContain("If it were resumed, a run now would be allowed.");
    expect(paused.text).toContain("None while it is paused.");
    const again = await submit(browser, `${address}/pause`, `${address}/pause`);
    expect(again.status).toBe(409);
    await submit(browser, address, `${address}/resumption`);
    expect(await getSchedule(db, id)).toMatchObject({ status: "active" });
    const gone = await submit(browser, `${address}/removal`, `${address}/removal`);
    expect(gone.headers.location).toBe("/admin/schedules");
    expect(await findSchedule(db, id)).toBeUndefined();
  });

  test("a note that is too long is shown again", async () => {
    const { id } = await given();
    const address = `/admin/schedules/${id}/pause`;
    const answer = await submit(browser, address, address, { note: "x".repeat(501) });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Keep it to 500 characters.");
  });

  test("is taken over by whoever could have made it", async () => {
    const { db } = database;
    const { id } = await given();
    const mia = await createMember(db, { workspace, role: "manager", name: "Mia" });
    const theirs = await signIn(app, mia.email);
    const address = `/admin/schedules/${id}`;
    expect((await theirs.get(address)).text).toContain("Take over");
    await submit(theirs, address, `${address}/takeover`);
    const page = await theirs.get(address);
    expect(page.text).toContain("You are its steward now.");
    expect(page.text).not.toContain(">Take over<");
  });
});

describe("giving schedules to a new steward", () => {
  test("moves the chosen ones, from the list without any script", async () => {
    const { db } = database;
    const mia = await createMember(db, { workspace, role: "manager", name: "Mia" });
    const ids = [(await given()).id, (await given({ operation: "backup.create" })).id];
    const choice = `/admin/schedules/transfer?${ids.map((id) => `schedule=${id}`).join("&")}`;
    const page = await browser.get(choice);
    expect(page.text).toContain("Sync inventory at Contoso");
    const answer = await browser
      .post("/admin/schedules/transfer")
      .type("form")
      .send({ _csrf: tokenIn(page), schedule: ids, steward: mia.id });
    expect(answer.status).toBe(303);
    for (const id of ids) expect(await getSchedule(db, id)).toMatchObject({ stewardId: mia.id });
  });

  test("to somebody who could not have made one of them changes nothing and says why", async () => {
    const { db } = database;
    await createRole(db, { workspace, key: "clerk", capabilities: ["schedule.manage"] });
    const clerk = await createMember(db, { workspace, role: "clerk", name: "Clerk" });
    const { id } = await given();
    const address = `/admin/schedules/transfer?schedule=${id}`;
    const fields = { schedule: id, steward: clerk.id };
    const answer = await submit(browser, address, "/admin/schedules/transfer", fields);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Clerk needs inventory.sync for “Sync inventory at Contoso”");
    expect(answer.text).toMatch(/<option value="[^"]+" selected>Clerk<\/option>/);
    expect(await getSchedule(db, id)).toMatchObject({ stewardId: olivia.id });
  });

  test("asks to choose some first", async () => {
    const page = await browser.get("/admin/schedules/transfer");
    expect(page.text).toContain("Choose schedules in the list first");
  });
});

describe("before and after a steward goes", () => {
  test("it is said how many schedules will need a new one", async () => {
    const { db } = database;
    const omar = await createMember(db, { workspace, role: "manager", name: "Omar" });
    for (let made = 0; made < 3; made += 1) await given({ steward: omar });
    const address = `/admin/members/${omar.id}/removal`;
    const words = "3 schedules will need a new steward; they go on running.";
    expect((await browser.get(address)).text).toContain(words);
    const answer = await submit(browser, address, address, { name: "Omar" });
    const after = await browser.get(answer.headers.location ?? "");
    expect(after.text).toContain(words);
    expect((await browser.get("/admin/schedules?kind=steward")).text.match(/id="schedule-/g)).toHaveLength(3);
  });

  test("a smaller role counts those they could no longer make, and no role that leaves them able", async () => {
    const { db } = database;
    const omar = await createMember(db, { workspace, role: "manager", name: "Omar" });
    await given({ steward: omar });
    const [assignment] = await db.query<{ id: string }>(
      "select id from role_assignments where user_id = $1",
      [omar.id],
    );
    const ask = async (key: string) => {
      const [role] = await db.query<{ id: string }>(
        "select id from roles where workspace_id = $1 and key = $2",
        [workspace.id, key],
      );
      return browser.get(`/admin/members/${omar.id}/assignments/${assignment?.id}/role?role=${role?.id}`);
    };
    expect((await ask("operator")).text).toContain("1 schedule will need a new steward; it goes on running.");
    expect((await ask("owner")).text).not.toContain("new steward");
  });
});
