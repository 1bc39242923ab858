import { beforeAll, expect, test } from "@jest/globals";
import { type Browser, makeApp, signIn, submit, type TestApp, tokenIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
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
import { requestAs } from "../helpers/northwind.ts";
import { createRun } from "../helpers/runs.ts";

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db);
});

type World = {
  workspace: TestWorkspace;
  contoso: TestTenant;
  adatum: TestTenant;
  mia: TestUser;
  omar: TestUser;
  browser: Browser;
};

async function seed(): Promise<World> {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  const adatum = await createTenant(db, { workspace, name: "Adatum Health" });
  for (const tenant of [contoso, adatum]) await createConnection(db, { tenant });
  const mia = await createMember(db, { workspace, role: "manager", name: "Mia Lorenz" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  return { workspace, contoso, adatum, mia, omar, browser: await signIn(app, mia.email) };
}

const holdOf = ({ id }: TestTenant) => `/admin/tenants/${id}/hold`;

test("a tenant's hold page shows what waits and what would become of it now", async () => {
  const { db } = database;
  const { contoso, mia, omar, browser } = await seed();
  await placeHold(db, { tenant: contoso, by: mia });
  await requestAs(db, mia, "inventory.sync", contoso);
  await requestAs(db, omar, "inventory.sync", contoso);
  await db.query("delete from role_assignments where user_id = $1", [omar.id]);
  const page = await browser.get(holdOf(contoso));
  expect(page.text).toContain("<h1>Contoso Retail is on hold</h1>");
  expect(page.text).toContain("2 runs wait behind it.");
  expect(page.text).toContain("Would be blocked: Omar Haddad no longer has access to Contoso Retail.");
  expect(page.text).toContain("Would start.");
  expect((await browser.get(`/admin/tenants/${contoso.id}`)).text).toContain(`href="${holdOf(contoso)}"`);
});

test("ticked runs are let through and say so, the others wait on", async () => {
  const { db } = database;
  const { contoso, mia, browser } = await seed();
  await placeHold(db, { tenant: contoso, by: mia });
  const [chosen, other] = [
    await requestAs(db, mia, "inventory.sync", contoso),
    await requestAs(db, mia, "inventory.sync", contoso),
  ];
  const answer = await submit(browser, holdOf(contoso), `${holdOf(contoso)}/runs`, { run: chosen });
  expect(answer.headers.location).toBe(holdOf(contoso));
  const page = await browser.get(holdOf(contoso));
  expect(page.text).toContain("1 run is let through and authorized afresh; the hold stays.");
  expect(page.text).toContain("Let through: it begins although the hold stays.");
  expect(page.text).not.toContain(`value="${chosen}"`);
  expect(page.text).toContain(`value="${other}"`);
  expect((await browser.get(`/admin/operations/${chosen}`)).text).toContain("Let through the hold");
  expect((await browser.get(`/admin/operations/${other}`)).text).toContain("Tenant on hold by Mia Lorenz");
});

test("several are let through at once; none ticked, or once the hold has ended, is said", async () => {
  const { db } = database;
  const { contoso, mia, browser } = await seed();
  await placeHold(db, { tenant: contoso, by: mia });
  const runs = [
    await requestAs(db, mia, "inventory.sync", contoso),
    await requestAs(db, mia, "inventory.sync", contoso),
  ];
  const send = async (chosen: string[]) => {
    const fields = new URLSearchParams({ _csrf: tokenIn(await browser.get(holdOf(contoso))) });
    for (const id of chosen) fields.append("run", id);
    return browser
      .post(`${holdOf(contoso)}/runs`)
      .type("form")
      .send(fields.toString());
  };
  await send([]);
  expect((await browser.get(holdOf(contoso))).text).toContain("Nothing was let through");
  await send(runs);
  expect((await browser.get(holdOf(contoso))).text).toContain("2 runs are let through");
  await submit(browser, holdOf(contoso), `/admin/tenants/${contoso.id}/release`);
  const late = await send(runs);
  expect(late.status).toBe(409);
  expect(late.text).toContain("The hold has ended meanwhile");
});

test("a workspace is held with a reason, shows all that waits, and is released", async () => {
  const { db } = database;
  const { contoso, adatum, mia, browser } = await seed();
  const placed = await submit(browser, "/admin/hold", "/admin/hold", { reason: "migration", for_hours: "4" });
  expect(placed.headers.location).toBe("/admin/hold");
  const run = await requestAs(db, mia, "inventory.sync", contoso);
  await requestAs(db, mia, "inventory.sync", adatum);
  const page = await browser.get("/admin/hold");
  expect(page.text).toContain("<h1>The whole of Northwind is on hold</h1>");
  expect(page.text).toContain("2 runs wait behind it.");
  expect(page.text).toContain("Adatum Health");
  expect((await browser.get("/admin/tenants")).text).toContain(
    "The whole workspace is on hold by Mia Lorenz",
  );
  expect((await browser.get(`/admin/tenants/${contoso.id}`)).text).toContain(
    "<h1>Contoso Retail is on hold with its whole workspace</h1>",
  );
  expect((await browser.get(holdOf(contoso))).text).toContain("The whole workspace is on hold by Mia Lorenz");
  expect((await browser.get(`/admin/operations/${run}`)).text).toContain("Workspace on hold by Mia Lorenz");
  await submit(browser, "/admin/hold", "/admin/hold/runs", { run });
  expect((await browser.get(`/admin/operations/${run}`)).text).toContain("First in line at this tenant.");

  await submit(browser, "/admin/hold", "/admin/release");
  const after = await browser.get("/admin/hold");
  expect(after.text).toContain("Released. Nothing was waiting for it.");
  expect(after.text).toContain("<h1>The whole of Northwind is not on hold</h1>");
  await submit(browser, "/admin/hold", "/admin/release");
  expect((await browser.get("/admin/hold")).text).toContain("The workspace was not on hold.");
});

test("a hold of the workspace without a reason comes back with what was chosen", async () => {
  const { browser } = await seed();
  const answer = await submit(browser, "/admin/hold", "/admin/hold", { reason: " ", for_hours: "24" });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("Say why: whoever finds the workspace held reads it.");
  expect(answer.text).toContain('<option value="24" selected>');
});

test("a manager of one tenant finds its hold, and not the workspace's", async () => {
  const { db } = database;
  const { workspace, contoso } = await seed();
  const local = await createMember(db, { workspace, role: "manager", tenant: contoso });
  const browser = await signIn(app, local.email);
  expect((await browser.get(holdOf(contoso))).status).toBe(200);
  const refused = await browser.get("/admin/hold");
  expect(refused.status).toBe(403);
  expect(refused.text).toContain("<code>tenant.hold</code>");
  expect((await browser.get("/admin/tenants")).text).not.toContain("Hold all tenants");
});

test("whoever may not see operations sees how many wait, and not which", async () => {
  const { db } = database;
  const { workspace, contoso, mia } = await seed();
  await createRole(db, { workspace, key: "warden", capabilities: ["tenant.view", "tenant.hold"] });
  const warden = await createMember(db, { workspace, role: "warden" });
  const run = await requestAs(db, mia, "inventory.sync", contoso);
  const page = await (await signIn(app, warden.email)).get(holdOf(contoso));
  expect(page.text).toContain("1 run would wait behind a hold.");
  expect(page.text).toContain("You need operations.view");
  expect(page.text).not.toContain(run);
});

test("what waits is shown in pages", async () => {
  const { db } = database;
  const { workspace, contoso, browser } = await seed();
  const runs = [];
  for (let n = 0; n < 30; n += 1) runs.push((await createRun(db, { workspace, tenant: contoso })).id);
  const first = await browser.get(holdOf(contoso));
  expect(first.text).toContain(runs.at(-1) ?? "");
  expect(first.text).not.toContain(runs[0] ?? "");
  const older = /href="([^"]+before=[^"]+)"/.exec(first.text)?.[1] ?? "";
  expect((await browser.get(older)).text).toContain(runs[0] ?? "");
});

test("a waiting run says where it stands in its tenant's line, on the list and on its own page", async () => {
  const { db } = database;
  const { workspace, contoso, adatum, browser } = await seed();
  const runs = [];
  for (let n = 0; n < 3; n += 1) runs.push((await createRun(db, { workspace, tenant: contoso })).id);
  const elsewhere = await createRun(db, { workspace, tenant: adatum });
  expect((await browser.get(`/admin/operations/${runs[0]}`)).text).toContain("First in line at this tenant.");
  expect((await browser.get(`/admin/operations/${elsewhere.id}`)).text).toContain("First in line");
  expect((await browser.get(`/admin/operations/${runs[2]}`)).text).toContain("3rd in line at this tenant.");
  expect((await browser.get("/admin/operations")).text).toContain("2nd in line at this tenant.");
});

test("a run behind more than a hundred says so and counts no further", async () => {
  const { db } = database;
  const { workspace, contoso, browser } = await seed();
  const { id } = await createRun(db, { workspace, tenant: contoso });
  await db.query(
    `insert into operation_runs select copy.* from operation_runs r, generate_series(1, 150) as n,
       jsonb_populate_record(r, jsonb_build_object('id', overlay(r.id::text placing lpad(n::text, 12, '0') from 25))) as copy
     where r.id = $1`,
    [id],
  );
  const last = await createRun(db, { workspace, tenant: contoso });
  expect((await browser.get(`/admin/operations/${last.id}`)).text).toContain(
    "More than 100 stand before it in line at this tenant.",
  );
});

test("a run that waits for others of its tenant to end says so", async () => {
  const { db } = database;
  const { workspace, contoso, mia, browser } = await seed();
  const heartbeatAt = new Date();
  for (let n = 0; n < 4; n += 1)
    await createRun(db, { workspace, tenant: contoso, status: "running", heartbeatAt });
  const run = await requestAs(db, mia, "inventory.sync", contoso);
  expect((await browser.get(`/admin/operations/${run}`)).text).toContain(
    "4 runs are under way at this tenant, as many as may be at once. First in line at this tenant.",
  );
});
