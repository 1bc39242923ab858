import { beforeAll, expect, test } from "@jest/globals";
import { type Browser, makeApp, signIn, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { createRun } from "../helpers/runs.ts";

/** A run without a tenant is for its initiator, and for those whose role covers all tenants (handbook 1). */

const database = useDatabase();
let app: TestApp;
let workspace: TestWorkspace;
let contoso: TestTenant;
let olivia: TestUser;
/** An operator at one tenant, who asked for it. */
let sam: TestUser;
let run: string;

beforeAll(async () => {
  const { db } = database;
  app = makeApp(db);
  workspace = await createWorkspace(db, { name: "Northwind" });
  contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  sam = await createMember(db, { workspace, role: "operator", tenant: contoso, name: "Sam Okafor" });
  run = await make({ initiator: sam });
});

test("its page says that it has no single tenant, and names its initiator", async () => {
  for (const person of [sam, olivia]) {
    const page = await as(person);
    const { status, text } = await page.get(`/admin/operations/${run}`);
    expect(status).toBe(200);
    expect(text).toContain("No single tenant");
    expect(text).toContain("Sam Okafor");
    expect(text).not.toContain('href="/admin/tenants/null"');
  }
});

test("a reader whose role covers all tenants sees it, one at a single tenant does not", async () => {
  const { db } = database;
  const rita = await createMember(db, { workspace, role: "readonly", name: "Rita Novak" });
  const tom = await createMember(db, { workspace, role: "owner", tenant: contoso, name: "Tom Weber" });
  expect(await statusFor(rita)).toBe(200);
  expect(await statusFor(tom)).toBe(404);
});

test("it is in the lists of those who may see it, and in no other's, counts included", async () => {
  const { db } = database;
  const una = await createMember(db, { workspace, role: "operator", tenant: contoso, name: "Una Roth" });
  for (const person of [sam, olivia])
    expect((await (await as(person)).get("/admin/operations")).text).toContain(run);
  const hers = (await (await as(una)).get("/admin/operations")).text;
  expect(hers).not.toContain(run);
});

test("of one that the system asked for, its page and list are for all-tenant roles alone", async () => {
  const { db } = database;
  const system = await make({ initiator: null, trigger: "command" });
  const vic = await createMember(db, { workspace, role: "owner", tenant: contoso, name: "Vic Adler" });
  expect(await statusFor(olivia, system)).toBe(200);
  for (const person of [sam, vic]) {
    expect(await statusFor(person, system)).toBe(404);
    expect((await (await as(person)).get("/admin/operations")).text).not.toContain(system);
  }
});

test("a stranger's answer is that of a run that does not exist", async () => {
  const { db } = database;
  const stranger = await createMember(db, {
    workspace: await createWorkspace(db),
    role: "owner",
    name: "Felix Baumann",
  });
  const browser = await as(stranger);
  const [real, absent] = [await browser.get(`/admin/operations/${run}`), await browser.get(absentRun)];
  expect(real.status).toBe(404);
  expect(real.text).toBe(absent.text);
});

test("its initiator without operations.view gets the 403, and without a membership the 404", async () => {
  const { db } = database;
  await createRole(db, { workspace, key: "sync-only", capabilities: ["inventory.sync"] });
  const hugo = await createMember(db, { workspace, role: "sync-only", name: "Hugo Lindqvist" });
  const his = await make({ initiator: hugo });
  expect(await statusFor(hugo, his)).toBe(403);
  const gone = await createMember(db, { workspace, role: "operator", tenant: contoso });
  const theirs = await make({ initiator: gone });
  expect(await statusFor(gone, theirs)).toBe(200);
  await db.query("delete from memberships where user_id = $1", [gone.id]);
  expect(await statusFor(gone, theirs)).toBe(404);
});

test("one that was blocked says so, with the checks that do not concern it marked as such", async () => {
  const { id } = await createRun(database.db, {
    ...{ workspace, tenant: null, initiator: sam, operation: "tenants.bulk_sync" },
    ending: { outcome: "blocked", reasonCode: "initiator_not_entitled" },
  });
  const page = (await (await as(olivia)).get(`/admin/operations/${id}`)).text;
  expect(page).toContain("Blocked by policy: ");
  expect(page).toContain("Sync many tenants");
  expect(page).toContain("Nothing was changed.");
});

const absentRun = "/admin/operations/01a20aee-9afe-70d6-b4d9-ca998743b5b0";

async function make(given: { initiator: TestUser | null; trigger?: "command" }): Promise<string> {
  const made = await createRun(database.db, {
    ...{ workspace, tenant: null, operation: "tenants.bulk_sync" },
    ...given,
    ending: { outcome: "succeeded" },
  });
  return made.id;
}

function as(person: TestUser): Promise<Browser> {
  return signIn(app, person.email);
}

async function statusFor(person: TestUser, id = run): Promise<number> {
  return (await (await as(person)).get(`/admin/operations/${id}`)).status;
}
