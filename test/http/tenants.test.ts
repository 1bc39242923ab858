import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "@jest/globals";
import { makeApp, signIn, submit, type TestApp, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createConnection,
  createMember,
  createTenant,
  createWorkspace,
  placeHold,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { requestAs } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db);
});

type World = { workspace: TestWorkspace; mia: TestUser; omar: TestUser; rita: TestUser; contoso: TestTenant };

async function seed(given: { lifecycle?: "active" | "suspended" | "offboarding" } = {}): Promise<World> {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail", ...given });
  await createConnection(db, { tenant: contoso });
  return {
    workspace,
    contoso,
    mia: await createMember(db, { workspace, role: "manager", name: "Mia Lorenz" }),
    omar: await createMember(db, { workspace, role: "operator", name: "Omar Haddad" }),
    rita: await createMember(db, { workspace, role: "readonly", name: "Rita Gomez" }),
  };
}

const pageOf = ({ id }: TestTenant) => `/admin/tenants/${id}`;

test("the list shows the tenants in scope, what needs somebody first, and finds them by name", async () => {
  const { db } = database;
  const { workspace, contoso, rita } = await seed();
  await createTenant(db, { workspace, name: "Adatum Health" });
  const sam = await createMember(db, { workspace, role: "operator", tenant: contoso });
  await placeHold(db, { tenant: contoso });

  const all = await (await signIn(app, rita.email)).get("/admin/tenants");
  expect(all.text.indexOf("Contoso Retail")).toBeLessThan(all.text.indexOf("Adatum Health"));
  expect(all.text).toContain("On hold by Olivia Brandt: “credential rotation”");

  const browser = await signIn(app, sam.email);
  const scoped = await browser.get("/admin/tenants");
  expect(scoped.text).toContain("Contoso Retail");
  expect(scoped.text).not.toContain("Adatum");
  const none = await browser.get("/admin/tenants?search=adatum&kind=held");
  expect(none.status).toBe(200);
  expect(none.text).toContain("on hold and named like “adatum”");
});

test("a member without any role sees an empty list", async () => {
  const { db } = database;
  const { workspace } = await seed();
  const nobody = await createMember(db, { workspace, role: null });
  const answer = await (await signIn(app, nobody.email)).get("/admin/tenants");
  expect(answer.status).toBe(200);
  expect(answer.text).toContain("You have no role here yet");
  expect(answer.text).not.toContain("Contoso");
});

test("a double click makes one run, and both clicks lead to it", async () => {
  const { contoso, omar } = await seed();
  const browser = await signIn(app, omar.email);
  const page = await browser.get(pageOf(contoso));
  const key = /value="inventory\.sync">\s*<input type="hidden" name="request_key" value="([^"]+)"/.exec(
    page.text,
  )?.[1];
  const fields = { _csrf: tokenIn(page), operation: "inventory.sync", request_key: key };
  const click = () =>
    browser
      .post(`${pageOf(contoso)}/operations`)
      .type("form")
      .send(fields);
  const [first, second] = await Promise.all([click(), click()]);
  expect(first.status).toBe(303);
  expect(first.headers.location).toMatch(/^\/admin\/operations\/[0-9a-f-]{36}$/);
  expect(second.headers.location).toBe(first.headers.location);
  expect(
    await database.db.query("select 1 from operation_runs where tenant_id = $1", [contoso.id]),
  ).toHaveLength(1);
});

test("without the right to an operation its button is off and says why, and sending it is a 403", async () => {
  const { contoso, rita } = await seed();
  const browser = await signIn(app, rita.email);
  const page = await browser.get(pageOf(contoso));
  expect(page.text).toContain("You need inventory.sync to sync a tenant&#39;s inventory.");
  expect(page.text).toContain("You need tenant.hold to hold and release tenants.");
  expect(page.text).not.toContain(`action="${pageOf(contoso)}/hold"`);
  const answer = await submit(browser, "/admin/notifications", `${pageOf(contoso)}/operations`, {
    operation: "inventory.sync",
    request_key: randomUUID(),
  });
  expect(answer.status).toBe(403);
  expect(answer.text).toContain("<code>inventory.sync</code>");
});

test("what the tenant's state forbids is off with its reason; sent all the same, it is stored as blocked", async () => {
  const { contoso, omar } = await seed({ lifecycle: "suspended" });
  const browser = await signIn(app, omar.email);
  const page = await browser.get(pageOf(contoso));
  expect(page.text).toContain("It would be blocked: Contoso Retail is suspended.");
  const answer = await submit(browser, pageOf(contoso), `${pageOf(contoso)}/operations`, {
    operation: "inventory.sync",
    request_key: randomUUID(),
  });
  expect(answer.status).toBe(303);
  const runId = answer.headers.location?.split("/").at(-1) ?? "";
  expect(await getRun(database.db, runId)).toMatchObject({ outcome: "blocked", startedAt: null });
});

test("an operation that does not exist is not understood", async () => {
  const { contoso, omar } = await seed();
  const browser = await signIn(app, omar.email);
  const answer = await submit(browser, pageOf(contoso), `${pageOf(contoso)}/operations`, {
    operation: "tenant.explode",
    request_key: randomUUID(),
  });
  expect(answer.status).toBe(422);
});

test("a tenant is held with a reason and released again", async () => {
  const { contoso, mia } = await seed();
  const browser = await signIn(app, mia.email);
  const held = await submit(browser, pageOf(contoso), `${pageOf(contoso)}/hold`, {
    reason: "credential rotation",
    for_hours: "4",
  });
  expect(held.headers.location).toBe(pageOf(contoso));
  const page = await browser.get(pageOf(contoso));
  expect(page.text).toContain("<h1>Contoso Retail is on hold</h1>");
  expect(page.text).toContain("Mia Lorenz paused its queue: “credential rotation”");
  expect(page.text).toContain("It waits until the hold is released.");

  const released = await submit(browser, pageOf(contoso), `${pageOf(contoso)}/release`);
  expect(released.status).toBe(303);
  const after = await browser.get(pageOf(contoso));
  expect(after.text).toContain("Released. Nothing was waiting for it.");
  expect(after.text).toContain("<h1>Contoso Retail is active</h1>");

  await submit(browser, pageOf(contoso), `${pageOf(contoso)}/release`);
  expect((await browser.get(pageOf(contoso))).text).toContain("The tenant was not on hold.");
});

test("a hold without a reason comes back with what was chosen", async () => {
  const { contoso, mia } = await seed();
  const browser = await signIn(app, mia.email);
  const answer = await submit(browser, pageOf(contoso), `${pageOf(contoso)}/hold`, {
    reason: "  ",
    for_hours: "24",
  });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("Say why: whoever finds the tenant held reads it.");
  expect(answer.text).toContain('<option value="24" selected>');
  const long = "x".repeat(501);
  const tooLong = await submit(browser, pageOf(contoso), `${pageOf(contoso)}/hold`, {
    reason: long,
    for_hours: "",
  });
  expect(tooLong.text).toContain(long);
});

test("a reason that is no text is refused next to the field", async () => {
  const { contoso, mia } = await seed();
  const answer = await submit(await signIn(app, mia.email), pageOf(contoso), `${pageOf(contoso)}/hold`, {
    reason: "credential\0rotation",
    for_hours: "",
  });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain('id="reason-problem">It has characters that cannot be shown.');
});

test("a search does without control characters", async () => {
  const browser = await signIn(app, (await seed()).mia.email);
  expect((await browser.get("/admin/tenants?search=%00")).text).toContain("Contoso Retail");
  expect((await browser.get("/admin/tenants?search=con%00toso")).text).toContain("Contoso Retail");
  expect((await browser.get("/admin/members?search=mi%00a")).text).toContain("Mia Lorenz");
});

test("holding what somebody else has held meanwhile says who it was", async () => {
  const { contoso, mia } = await seed();
  const browser = await signIn(app, mia.email);
  const shown = await browser.get(pageOf(contoso));
  await placeHold(database.db, { tenant: contoso });
  const answer = await browser
    .post(`${pageOf(contoso)}/hold`)
    .type("form")
    .send({ _csrf: tokenIn(shown), reason: "mine", for_hours: "" });
  expect(answer.status).toBe(409);
  expect(answer.text).toContain("on hold already, by Olivia Brandt");
});

test("a lifecycle change says beforehand what it stops, and afterwards what it stopped", async () => {
  const { contoso, mia, omar } = await seed();
  await placeHold(database.db, { tenant: contoso });
  await requestAs(database.db, omar, "inventory.sync", contoso);
  const browser = await signIn(app, mia.email);
  const confirm = `${pageOf(contoso)}/lifecycle?to=suspended`;
  const asked = await browser.get(confirm);
  expect(asked.text).toContain("Suspend Contoso Retail?");
  expect(asked.text).toContain("Suspending Contoso Retail will block 1 queued run in 1 tenant.");

  const answer = await submit(browser, confirm, `${pageOf(contoso)}/lifecycle`, { to: "suspended" });
  expect(answer.headers.location).toBe(pageOf(contoso));
  const after = await browser.get(pageOf(contoso));
  expect(after.text).toContain("Contoso Retail is suspended now. It blocks 1 queued run in 1 tenant");
});

test("archiving asks for the tenant's name and keeps what was typed", async () => {
  const { contoso, mia } = await seed({ lifecycle: "offboarding" });
  const browser = await signIn(app, mia.email);
  const confirm = `${pageOf(contoso)}/lifecycle?to=archived`;
  expect((await browser.get(confirm)).text).toContain("Its credentials are erased for good");
  const send = (name: string) =>
    submit(browser, confirm, `${pageOf(contoso)}/lifecycle`, { to: "archived", name });
  const wrong = await send("Contoso");
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain("Type Contoso Retail exactly as it is written.");
  expect(wrong.text).toContain('value="Contoso"');
  expect((await send("Contoso Retail")).status).toBe(303);
  expect((await browser.get(pageOf(contoso))).text).toContain("<h1>Contoso Retail is archived</h1>");
});

test("a step that does not exist from here is refused in words", async () => {
  const { contoso, mia } = await seed();
  const browser = await signIn(app, mia.email);
  const answer = await browser.get(`${pageOf(contoso)}/lifecycle?to=archived`);
  expect(answer.status).toBe(409);
  expect(answer.text).toContain("Contoso Retail is active; from there it cannot become archived.");
});

test("an operator finds no lifecycle or hold form, and sending one is a 403 that changes nothing", async () => {
  const { contoso, omar } = await seed();
  const browser = await signIn(app, omar.email);
  const page = await browser.get(pageOf(contoso));
  expect(page.text).not.toContain("/lifecycle?to=");
  const answers = [
    await submit(browser, pageOf(contoso), `${pageOf(contoso)}/lifecycle`, { to: "suspended" }),
    await submit(browser, pageOf(contoso), `${pageOf(contoso)}/hold`, { reason: "no", for_hours: "" }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([403, 403]);
  expect(await database.db.query("select 1 from tenant_holds where tenant_id = $1", [contoso.id])).toEqual(
    [],
  );
});

test("a tenant of another of one's workspaces opens, whichever is selected", async () => {
  const { db } = database;
  const here = await seed();
  const there = await seed();
  await db.query("insert into memberships (workspace_id, user_id) values ($1, $2)", [
    there.workspace.id,
    here.mia.id,
  ]);
  const browser = await signIn(app, here.mia.email);
  expect((await browser.get(pageOf(there.contoso))).status).toBe(404);
  await db.query(
    `insert into role_assignments (id, workspace_id, user_id, role_id)
     select $1, $2, $3, id from roles where workspace_id = $2 and key = 'readonly'`,
    [randomUUID(), there.workspace.id, here.mia.id],
  );
  const page = await browser.get(pageOf(there.contoso));
  expect(page.status).toBe(200);
  expect(page.text).toContain("You need tenant.hold");
});
