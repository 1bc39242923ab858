import { beforeAll, expect, test } from "@jest/globals";
import { getRole } from "../../server/domain/roles/roles.ts";
import { type Browser, makeApp, signIn, type TestApp, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createConnection,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  getRole as getBuiltIn,
  placeHold,
} from "../helpers/factories.ts";
import { requestAs } from "../helpers/northwind.ts";
import { editRole } from "../helpers/roles.ts";
import { createSchedule } from "../helpers/schedules.ts";

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db);
});

const deskRights = ["operations.view", "tenant.view", "inventory.sync", "schedule.manage", "restore.execute"];

async function seed() {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  const mia = await createMember(db, { workspace, role: "manager", name: "Mia Lorenz" });
  const desk = await createRole(db, { workspace, key: "desk", name: "Sync desk", capabilities: deskRights });
  const hugo = await createMember(db, { workspace, role: "desk", name: "Hugo Weiss" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  await createConnection(db, { tenant: contoso });
  const page = `/admin/roles/${desk.id}`;
  const stored = () => getRole(db, workspace.id, desk.id);
  return { db, workspace, olivia, mia, desk, hugo, contoso, page, stored };
}

/** What the form on a page carries, as a browser would send it. */
function carriedBy(html: string): URLSearchParams {
  const fields = new URLSearchParams();
  const main = html.slice(html.indexOf("<main"));
  for (const [input] of main.matchAll(/<input[^>]*>/g)) {
    const of = (attribute: string) => new RegExp(`${attribute}="([^"]*)"`).exec(input)?.[1] ?? "";
    const isLeft = of("type") === "checkbox" && (!/ checked/.test(input) || / disabled/.test(input));
    if (!isLeft) fields.append(of("name"), of("value"));
  }
  return fields;
}

/** Opens the form, unticks what shall go, and asks what that changes. */
async function ask(browser: Browser, page: string, without: string, name?: string) {
  const fields = carriedBy((await browser.get(`${page}/edit`)).text);
  fields.delete("capability", without);
  if (name !== undefined) fields.set("name", name);
  return browser.get(`${page}/change?${fields}`);
}

const send = (browser: Browser, action: string, fields: URLSearchParams) =>
  browser.post(action).type("form").send(fields.toString());

test("the list says what each role allows, who holds it, and which are built in", async () => {
  const { mia, page } = await seed();
  const browser = await signIn(app, mia.email);
  const members = await browser.get("/admin/members");
  expect(members.text).toContain('<a class="btn" href="/admin/roles">Roles</a>');
  const list = (await browser.get("/admin/roles")).text;
  expect(list).toMatch(/Sync desk<\/a><span class="muted small">Of this workspace/);
  expect(list).toMatch(/Owner<\/a><span class="muted small">Built in/);
  expect(list).toContain("5 of 27 rights");
  expect(list).toContain("1 member");
  expect(list).toContain('<a href="/admin/members" aria-current="page">');
  expect(list).toContain(`href="${page}"`);
});

test("a role's page tells its rights in plain words, by heading, and who holds it where", async () => {
  const { mia, page, hugo } = await seed();
  const shown = (await (await signIn(app, mia.email)).get(page)).text;
  expect(shown).toContain("Allows 5 of 27 rights. 1 member holds it.");
  expect(shown).toContain("<h3>Backups and restores</h3>");
  expect(shown).toContain("restore configuration <code>restore.execute</code>");
  expect(shown).toContain(`href="/admin/members/${hugo.id}">Hugo Weiss</a>`);
  expect(shown).toContain("You need role.manage to change roles.");
  expect(shown).not.toContain(`${page}/edit`);
});

test("an edit shows what it stops before it is made, and what it stopped after", async () => {
  const { db, workspace, olivia, hugo, contoso, page, stored } = await seed();
  await placeHold(db, { tenant: contoso });
  await requestAs(db, hugo, "inventory.sync", contoso);
  await requestAs(db, hugo, "inventory.sync", contoso);
  await createSchedule(db, { workspace, tenant: contoso, steward: hugo });
  const browser = await signIn(app, olivia.email);

  const asked = await ask(browser, page, "inventory.sync", "Desk");
  expect(asked.status).toBe(200);
  expect(asked.text).toContain("Change Sync desk?");
  expect(asked.text).toContain("It will be called Desk.");
  expect(asked.text).toContain("1 member holds it. They lose what is taken from it");
  expect(asked.text).toContain("Taking inventory.sync from Sync desk will block 2 queued runs in 1 tenant.");
  expect(asked.text).toContain("1 schedule will need a new steward; it goes on running.");
  expect(await stored()).toMatchObject({ name: "Sync desk" });

  const done = await send(browser, `${page}/change`, carriedBy(asked.text));
  expect(done.headers.location).toBe(page);
  const after = (await browser.get(page)).text;
  expect(after).toContain(
    "Desk was changed. It blocks 2 queued runs in 1 tenant: what waits is stopped when it begins, what runs before its next change. 1 schedule will need a new steward",
  );
  const kept = deskRights.filter((right) => right !== "inventory.sync");
  expect([...(await stored()).capabilities].sort()).toEqual([...kept].sort());
});

test("an edit that only adds says that nothing is stopped", async () => {
  const { olivia, page } = await seed();
  const browser = await signIn(app, olivia.email);
  const fields = carriedBy((await browser.get(`${page}/edit`)).text);
  fields.append("capability", "backup.view");
  const asked = (await browser.get(`${page}/change?${fields}`)).text;
  expect(asked).toContain("Nothing is taken away, so nothing is stopped.");
  expect(asked).toMatch(/Rights that come.*backup\.view/s);
  await send(browser, `${page}/change`, carriedBy(asked));
  expect((await browser.get(page)).text).toContain("Sync desk was changed.</p>");
});

test("a stale edit is refused where it is asked and where it is sent, and keeps what was chosen", async () => {
  const { db, olivia, workspace, desk, page, stored } = await seed();
  const browser = await signIn(app, olivia.email);
  const form = carriedBy((await browser.get(`${page}/edit`)).text);
  form.delete("capability", "tenant.view");
  const asked = await browser.get(`${page}/change?${form}`);
  await editRole(
    db,
    { actor: olivia, workspaceId: workspace.id, roleId: desk.id },
    { without: ["restore.execute"] },
  );

  for (const answer of [
    await browser.get(`${page}/change?${form}`),
    await send(browser, `${page}/change`, carriedBy(asked.text)),
  ]) {
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Sync desk was changed by somebody else meanwhile, so nothing was saved.");
    expect(answer.text).toMatch(/value="restore.execute" checked/);
    expect(answer.text).not.toMatch(/value="tenant.view" checked/);
    // What is sent now is judged against the role as it is, and said to bring that right back.
    const again = await browser.get(`${page}/change?${carriedBy(answer.text)}`);
    expect(again.text).toMatch(/Rights that come.*restore\.execute/s);
  }
  expect((await stored()).capabilities).toContain("tenant.view");
});

test("a copy is made from a form that holds what the original allows, and then belongs to nobody", async () => {
  const { db, olivia, workspace } = await seed();
  const operator = await getBuiltIn(db, workspace, "operator");
  const original = `/admin/roles/${operator.id}`;
  const browser = await signIn(app, olivia.email);
  const shown = (await browser.get(original)).text;
  expect(shown).toContain(`href="${original}/copy"`);
  expect(shown).not.toContain(`${original}/edit`);
  const form = carriedBy((await browser.get(`${original}/copy`)).text);
  expect(form.get("name")).toBe("Copy of Operator");

  form.set("name", "Sync desk");
  const taken = await send(browser, `${original}/copy`, form);
  expect(taken.status).toBe(422);
  expect(taken.text).toContain("Another role of this workspace has that name.");
  form.set("name", "Night <shift>");
  const made = await send(browser, `${original}/copy`, form);
  expect(made.status).toBe(303);
  const page = (await browser.get(String(made.headers.location))).text;
  expect(page).toContain("Night &lt;shift&gt; was made. Nobody holds it yet");
  expect(page).toContain("Allows 11 of 27 rights. Nobody holds it.");
  // It can be given at once.
  const members = (await browser.get(`/admin/members/${olivia.id}`)).text;
  expect(members).toContain(">Night &lt;shift&gt;</option>");
});

test("rights beyond one's own are off in the forms and refused when sent", async () => {
  const { db, workspace, page, stored } = await seed();
  const capabilities = ["member.view", "role.manage", "tenant.view"];
  await createRole(db, { workspace, key: "roles", capabilities });
  const rita = await createMember(db, { workspace, role: "roles" });
  const browser = await signIn(app, rita.email);
  const edit = (await browser.get(`${page}/edit`)).text;
  expect(edit).toMatch(/value="member.manage" disabled/);
  expect(edit).toMatch(/value="restore.execute" checked>.*Once taken away, you cannot put it back/);
  const copy = (await browser.get(`${page}/copy`)).text;
  expect(copy).toMatch(/value="restore.execute" disabled/);

  const fields = carriedBy(edit);
  fields.append("capability", "member.manage");
  for (const answer of [
    await browser.get(`${page}/change?${fields}`),
    await send(
      browser,
      `${page}/change`,
      new URLSearchParams([...fields, ["_csrf", carriedBy(copy).get("_csrf") ?? ""]]),
    ),
  ]) {
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("allows more than you may yourself");
  }
  expect((await stored()).capabilities).not.toContain("member.manage");
});

test("a built-in role has no edit and no removal, whoever asks", async () => {
  const { db, olivia, workspace } = await seed();
  const owner = `/admin/roles/${(await getBuiltIn(db, workspace, "owner")).id}`;
  const browser = await signIn(app, olivia.email);
  for (const page of [`${owner}/edit`, `${owner}/removal`]) {
    const answer = await browser.get(page);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Owner is built in and stays as it is.");
  }
});

test("a role that is held says who must be given another first; then it is deleted", async () => {
  const { db, olivia, hugo, workspace, page } = await seed();
  const browser = await signIn(app, olivia.email);
  const removal = `${page}/removal`;
  const held = await browser.get(removal);
  expect(held.text).toContain(
    "Sync desk is held by 1 member. Give Hugo Weiss another role first, or end theirs.",
  );
  expect(held.text).not.toContain(`action="${removal}"`);
  const csrf = () => new URLSearchParams({ _csrf: tokenIn(held) });
  expect((await send(browser, removal, csrf())).status).toBe(409);

  await db.query("delete from memberships where workspace_id = $1 and user_id = $2", [workspace.id, hugo.id]);
  expect((await browser.get(removal)).text).toContain("Nobody holds it");
  const done = await send(browser, removal, csrf());
  expect(done.headers.location).toBe("/admin/roles");
  const list = (await browser.get("/admin/roles")).text;
  expect(list).toContain("Sync desk was deleted.");
  expect(list).not.toContain(page);
});

test("the last owner's role keeps what makes an owner: said before, refused when sent", async () => {
  const { db, workspace, olivia } = await seed();
  const capabilities = ["member.view", "member.manage", "role.manage", "workspace.manage"];
  const chief = await createRole(db, { workspace, key: "chief", name: "Chief", capabilities });
  const ada = await createMember(db, { workspace, role: "chief", name: "Ada" });
  await db.query("delete from memberships where workspace_id = $1 and user_id = $2", [
    workspace.id,
    olivia.id,
  ]);
  const browser = await signIn(app, ada.email);
  const page = `/admin/roles/${chief.id}`;
  const why = "Northwind has no owner but through Chief.";
  const form = carriedBy((await browser.get(`${page}/edit`)).text);
  form.delete("capability", "workspace.manage");
  const asked = await browser.get(`${page}/change?${form}`);
  expect(asked.text).toContain(why);
  expect(asked.text).not.toContain(`action="${page}/change"`);
  form.set("_csrf", tokenIn(asked));
  const sent = await send(browser, `${page}/change`, form);
  expect(sent.status).toBe(409);
  expect(sent.text).toContain(why);
});

test("whoever takes the sight of members from their own role lands where they can be", async () => {
  const { db, workspace } = await seed();
  const capabilities = ["tenant.view", "member.view", "role.manage"];
  const own = await createRole(db, { workspace, key: "own", name: "Own", capabilities });
  const rita = await createMember(db, { workspace, role: "own" });
  const browser = await signIn(app, rita.email);
  const page = `/admin/roles/${own.id}`;
  const asked = await ask(browser, page, "member.view");
  const done = await send(browser, `${page}/change`, carriedBy(asked.text));
  expect(done.headers.location).toBe("/admin");
  expect((await browser.get("/admin/tenants")).text).toContain("Own was changed.");
  expect((await browser.get(page)).status).toBe(403);
});

test("who holds a role goes on over pages", async () => {
  const { db, workspace, olivia, page, desk } = await seed();
  await db.query(
    `with people as (
       insert into users (id, email) select gen_random_uuid(), 'holder-' || n || '@example.com'
       from generate_series(100, 160) n returning id),
     members as (insert into memberships (workspace_id, user_id) select $1, id from people returning user_id)
     insert into role_assignments (id, workspace_id, user_id, role_id)
     select gen_random_uuid(), $1, user_id, $2 from members`,
    [workspace.id, desk.id],
  );
  const browser = await signIn(app, olivia.email);
  const first = (await browser.get(page)).text;
  expect(first).toContain("62 members hold it.");
  expect(first).toContain("holder-149@example.com");
  expect(first).not.toContain("holder-150@example.com");
  const [, next = ""] = /rel="next" href="([^"]+)"/.exec(first) ?? [];
  const second = (await browser.get(next)).text;
  for (const name of ["holder-150", "holder-160", "Hugo Weiss"]) expect(second).toContain(name);
  expect(second).not.toContain("holder-149");
});
