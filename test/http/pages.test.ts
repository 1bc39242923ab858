import { beforeAll, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { createMember, createRole, createUser, createWorkspace } from "../helpers/factories.ts";

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db);
});

test("a person without any workspace reads so on the start page, and finds nothing else", async () => {
  const nadia = await createUser(database.db);
  const browser = await signIn(app, nadia.email);
  const start = await browser.get("/admin");
  expect(start.status).toBe(200);
  expect(start.text).toContain("You are not a member of any workspace");
  for (const address of ["/admin/operations", "/admin/audit", "/admin/nonsense"])
    expect((await browser.get(address)).status).toBe(404);
});

test("the start leads to the first page somebody may open, and takes a notice along", async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  await createRole(db, { workspace, key: "people", capabilities: ["member.view", "member.manage"] });
  await createRole(db, { workspace, key: "powerless", capabilities: [] });
  const operator = await createMember(db, { workspace, role: "operator" });
  const people = await createMember(db, { workspace, role: "people" });
  const powerless = await createMember(db, { workspace, role: "powerless" });
  const startOf = async (email: string) => (await (await signIn(app, email)).get("/admin")).headers.location;
  expect(await startOf(operator.email)).toBe("/admin/operations");
  expect(await startOf(people.email)).toBe("/admin/members");
  expect(await startOf(powerless.email)).toBe("/admin/notifications");

  const page = `/admin/members/${powerless.id}`;
  const browser = await signIn(app, people.email);
  await submit(browser, page, `${page}/removal`, { name: powerless.name });
  const start = await browser.get("/admin");
  expect((await browser.get(start.headers.location ?? "")).text).toContain(`${powerless.name} was removed.`);
});

test("the sidebar leads only to what opens", async () => {
  const workspace = await createWorkspace(database.db, { name: "Northwind" });
  const owner = await createMember(database.db, { workspace, role: "owner" });
  const reader = await createMember(database.db, { workspace, role: "readonly" });
  const links = async (email: string) => {
    const page = await (await signIn(app, email)).get("/admin/notifications");
    return [...page.text.matchAll(/<a href="(\/admin\/\w+)"/g)].map(([, href]) => href);
  };
  expect(await links(owner.email)).toEqual([
    "/admin/operations",
    "/admin/tenants",
    "/admin/inventory",
    "/admin/backups",
    "/admin/schedules",
    "/admin/members",
    "/admin/audit",
    "/admin/notifications",
  ]);
  expect(await links(reader.email)).toEqual([
    "/admin/operations",
    "/admin/tenants",
    "/admin/inventory",
    "/admin/backups",
    "/admin/schedules",
    "/admin/notifications",
  ]);
});

test("what is nowhere in the table is the same page as what is not for someone", async () => {
  const workspace = await createWorkspace(database.db);
  const owner = await createMember(database.db, { workspace, role: "owner" });
  const browser = await signIn(app, owner.email);
  const pages = await Promise.all(
    ["/admin/operations/nope", "/admin/operations/%E0%A4%A", "/admin/operations/a/b/c"].map((address) =>
      browser.get(address),
    ),
  );
  for (const page of pages) {
    expect(page.status).toBe(404);
    expect(page.text).toBe(pages[0]?.text);
  }
});

test("times are in the viewer's zone, with UTC beside", async () => {
  const workspace = await createWorkspace(database.db);
  const owner = await createMember(database.db, { workspace, role: "owner" });
  await database.db.query("update user_profiles set time_zone = 'Asia/Tokyo' where user_id = $1", [owner.id]);
  const browser = await signIn(app, owner.email);
  const list = await browser.get("/admin/audit");
  const [, address = ""] = /href="(\/admin\/audit\/[^"]+)"/.exec(list.text) ?? [];
  const entry = await browser.get(address);
  const [, iso = "", utc = "", shown = ""] =
    /<time datetime="([^"]+)" title="([^"]+)">([^<]+)/.exec(entry.text) ?? [];
  expect(utc).toBe(`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`);
  const inTokyo = new Date(new Date(iso).getTime() + 9 * 3_600_000).toISOString();
  expect(shown).toBe(inTokyo.slice(11, 19));
  expect(entry.text).toContain("Times in Asia/Tokyo");
});

describe("errors", () => {
  test("a fault shows an id and nothing of its cause, and the log has both", async () => {
    const lines: string[] = [];
    const broken = makeApp(database.db, {}, { write: (line) => lines.push(line) });
    const workspace = await createWorkspace(database.db);
    const owner = await createMember(database.db, { workspace, role: "owner" });
    const browser = await signIn(broken, owner.email);
    await database.db.query("alter table notifications rename to notifications_away");
    const page = await browser.get("/admin/notifications?private=thing");
    await database.db.query("alter table notifications_away rename to notifications");
    expect(page.status).toBe(500);
    expect(page.text).toContain(page.headers["x-request-id"]);
    expect(page.text).not.toMatch(/relation|notifications_away|select/);
    const line = lines.find((text) => text.includes(page.headers["x-request-id"] ?? "none"));
    expect(line).toContain("relation");
    expect(line).not.toMatch(/private|cookie|@example/);
  });

  test("bytes that the database cannot read as text are the sender's mistake, and no fault in the log", async () => {
    const { db } = database;
    const lines: string[] = [];
    const quiet = makeApp(db, {}, { write: (line) => lines.push(line) });
    const owner = await createMember(db, { workspace: await createWorkspace(db), role: "owner" });
    const browser = await signIn(quiet, owner.email);
    await db.query(`create function not_text() returns trigger language plpgsql
      as $$ begin raise exception using errcode = '22021'; end $$`);
    await db.query(`create trigger not_text before update on notifications
      for each statement execute function not_text()`);
    const answer = await submit(browser, "/admin/notifications", "/admin/notifications/reading");
    await db.query("drop function not_text cascade");
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("That could not be read");
    expect(lines).toEqual([]);
  });

  test("a form that is too large is refused in plain words", async () => {
    const answer = await request(app)
      .post("/sign-in")
      .type("form")
      .send({ email: "x".repeat(30_000) });
    expect(answer.status).toBe(413);
    expect(answer.text).toContain("Go back, reload and try again.");
  });

  test("a workspace that cannot be selected is not there", async () => {
    const workspace = await createWorkspace(database.db);
    const owner = await createMember(database.db, { workspace, role: "owner" });
    const browser = await signIn(app, owner.email);
    const foreign = await createWorkspace(database.db);
    for (const id of [foreign.id, "nonsense", ""]) {
      const answer = await submit(browser, "/admin/operations", "/admin/workspace-selection", {
        workspace: id,
      });
      expect(answer.status).toBe(404);
    }
  });
});

describe("health", () => {
  test("is live, and ready while the database answers", async () => {
    expect((await request(app).get("/health/live")).text).toBe("live\n");
    expect((await request(app).get("/health/ready")).status).toBe(200);
  });

  test("needs no session and leaves none", async () => {
    expect((await request(app).get("/health/ready")).get("Set-Cookie")).toBeUndefined();
  });
});
