import { beforeAll, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { type Browser, makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createMember,
  createTenant,
  createWorkspace,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { listAudit } from "../helpers/history.ts";
import { createRun, type GivenRun } from "../helpers/runs.ts";

/** What was blocked stands until it is resolved or dismissed: nothing dies in silence. */

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db);
});

type Scene = {
  workspace: TestWorkspace;
  contoso: TestTenant;
  adatum: TestTenant;
  omar: TestUser;
  olivia: TestUser;
  browser: Browser;
};

const list = "/admin/operations?attention=blocked";
const lacking = { outcome: "blocked", reasonCode: "missing_capability" } as const;
const suspended = { outcome: "blocked", reasonCode: "tenant_not_operable" } as const;

async function createScene(): Promise<Scene> {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  const adatum = await createTenant(db, { workspace, name: "Adatum Health" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  return { workspace, contoso, adatum, omar, olivia, browser: await signIn(app, olivia.email) };
}

test("blocked runs are collapsed per tenant, operation and reason, however old", async () => {
  const { workspace, contoso, adatum, browser } = await createScene();
  const lastMonth = new Date(Date.now() - 30 * 86_400_000);
  await make({ workspace, tenant: contoso, ending: lacking, requestedAt: lastMonth });
  const newest = await make({ workspace, tenant: contoso, ending: lacking, requestedAt: lastMonth });
  const other = await make({ workspace, tenant: contoso, ending: suspended });
  const elsewhere = await make({ workspace, tenant: adatum, ending: lacking });
  const tenantless = await make({ workspace, tenant: null, ending: lacking });
  await make({ workspace, tenant: contoso, ending: { outcome: "failed" } });
  const page = await browser.get(list);
  expect(rowsOn(page)).toEqual([tenantless, elsewhere, other, newest]);
  expect(rowOf(page, newest)).toContain("2 runs");
  expect(rowOf(page, other)).toContain("1 run");
  expect(page.text).toMatch(/<b>4<\/b>\s*<span class="words"><span class="label">Blocked by policy/);
  expect(rowsOn(await browser.get(`${list}&tenant=${adatum.id}`))).toEqual([elsewhere]);
  expect(rowsOn(await browser.get(`${list}&reason=tenant_not_operable`))).toEqual([other]);
});

test("a later success of the same operation at the same tenant resolves them, and nothing else does", async () => {
  const { workspace, contoso, adatum, browser } = await createScene();
  const before = { workspace, tenant: contoso, ending: lacking, requestedAt: new Date(Date.now() - 60_000) };
  await make(before);
  const other = await make({ ...before, operation: "backup.create" });
  const elsewhere = await make({ ...before, tenant: adatum });
  await make({ workspace, tenant: contoso, ending: { outcome: "succeeded" } });
  expect(rowsOn(await browser.get(list))).toEqual([elsewhere, other]);
  const again = await make({
    workspace,
    tenant: contoso,
    ending: lacking,
    requestedAt: new Date(Date.now() + 5_000),
  });
  const page = await browser.get(list);
  expect(rowsOn(page)).toEqual([again, elsewhere, other]);
  expect(rowOf(page, again)).toContain("1 run");
});

test("one can be dismissed from its page: audited, and the next of its kind stands for it", async () => {
  const { workspace, contoso, omar, olivia, browser } = await createScene();
  const first = await make({ workspace, tenant: contoso, initiator: omar, ending: lacking });
  const second = await make({ workspace, tenant: contoso, initiator: omar, ending: lacking });
  const address = `/admin/operations/${second}`;
  expect((await browser.get(address)).text).toContain("Dismiss</button>");
  const answer = await submit(browser, address, `${address}/dismissal`);
  expect(answer.headers.location).toBe(address);
  const page = (await browser.get(address)).text;
  expect(page).toContain("Dismissed: 1 run needs nobody any more.");
  expect(page).toContain("Dismissed by Olivia Brandt");
  expect(page).not.toContain("Dismiss</button>");
  expect(rowsOn(await browser.get(list))).toEqual([first]);
  expect(await listAudit(database.db, second)).toMatchObject([
    { action: "run.dismissed", actorId: olivia.id, details: { runs: 1 } },
  ]);
  await submit(browser, address, `${address}/dismissal`);
  expect(await listAudit(database.db, second)).toHaveLength(1);
});

test("a whole kind can be dismissed from the list, but not what came after it was shown", async () => {
  const { workspace, contoso, browser } = await createScene();
  const made = { workspace, tenant: contoso, ending: lacking };
  await make(made);
  const shown = await make(made);
  const other = await make({ ...made, ending: suspended });
  const page = await browser.get(list);
  expect(rowsOn(page)).toEqual([other, shown]);
  const later = await make(made);
  const answer = await submit(browser, list, `/admin/operations/${shown}/dismissal`, { alike: "yes" });
  expect(answer.headers.location).toBe(list);
  const after = await browser.get(list);
  expect(after.text).toContain("Dismissed: 2 runs need nobody any more.");
  expect(rowsOn(after)).toEqual([later, other]);
});

test("everybody entitled sees what stands, but not at other tenants; dismissing takes operations.rerun", async () => {
  const { workspace, contoso, adatum } = await createScene();
  const seen = await make({ workspace, tenant: contoso, ending: lacking });
  await make({ workspace, tenant: adatum, ending: lacking });
  await make({ workspace, tenant: null, ending: lacking });
  const rita = await createMember(database.db, { workspace, role: "readonly", tenant: contoso });
  const own = await make({ workspace, tenant: null, initiator: rita, ending: lacking });
  const browser = await signIn(app, rita.email);
  const page = await browser.get(list);
  expect(rowsOn(page)).toEqual([own, seen]);
  expect(page.text).not.toContain("Adatum");
  expect(page.text).not.toContain("/dismissal");
  const refused = await submit(browser, "/admin/notifications", `/admin/operations/${seen}/dismissal`);
  expect(refused.status).toBe(403);
  expect(refused.text).toContain("<code>operations.rerun</code>");
});

test("what was not blocked cannot be dismissed, and a list with nothing left says so", async () => {
  const { workspace, contoso, browser } = await createScene();
  const run = await make({ workspace, tenant: contoso, ending: { outcome: "failed" } });
  const answer = await submit(browser, list, `/admin/operations/${run}/dismissal`);
  expect(answer.status).toBe(409);
  expect((await browser.get(list)).text).toContain("Everything that was blocked by policy has been resolved");
});

async function make(given: GivenRun): Promise<string> {
  return (await createRun(database.db, given)).id;
}

function rowsOn(page: Response): string[] {
  return [...page.text.matchAll(/id="run-([0-9a-f-]+)"/g)].map(([, id]) => id ?? "");
}

function rowOf(page: Response, id: string): string {
  return page.text.split(`id="run-${id}"`)[1]?.split("</tr>")[0] ?? "";
}
