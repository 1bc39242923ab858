import { AxeBuilder } from "@axe-core/playwright";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { useDatabase } from "../helpers/database.ts";
import { createMember, createRole, createUser, password, type TestUser } from "../helpers/factories.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { launchChromium } from "./chromium.ts";
import { type Processes, startProcesses } from "./processes.ts";

/**
 * The product's promise as people live through it: real Chromium, web and worker as processes of their own,
 * a provider over HTTP.
 */

const database = useDatabase();
let processes: Processes;
let browser: Browser;
let world: Northwind;
let hugo: TestUser;
let nadia: TestUser;

beforeAll(async () => {
  processes = await startProcesses(database.url);
  browser = await launchChromium();
  const { db } = database;
  world = await seedNorthwind({ db, control: processes.control });
  await createRole(db, { workspace: world.northwind, key: "sync-desk", capabilities: ["tenant.view"] });
  hugo = await createMember(db, { workspace: world.northwind, role: "sync-desk" });
  nadia = await createUser(db, { name: "Nadia Outside" });
});

afterAll(() => browser?.close());
database.beforeDrop(async () => processes?.stop());

test("work that waited while its initiator lost the right ends blocked, with nothing changed", async () => {
  const [olivia, omar] = [await signIn(world.olivia), await signIn(world.omar)];

  await olivia.goto(`${processes.url}/admin/tenants/${world.contoso.id}`);
  await olivia.getByLabel("Reason").fill("credential rotation");
  await olivia.getByRole("button", { name: /hold/i }).click();
  await olivia.getByRole("heading", { name: "Contoso Retail is on hold" }).waitFor();

  await omar.goto(`${processes.url}/admin/tenants/${world.contoso.id}`);
  await omar.getByRole("button", { name: "Sync inventory" }).click();
  await omar.getByRole("heading", { name: /^Queued/ }).waitFor();
  expect(await omar.textContent("header.verdict")).toContain("on hold by Olivia Brandt");
  const runAddress = omar.url();

  await olivia.goto(`${processes.url}/admin/members/${world.omar.id}`);
  await olivia.getByLabel(/^New role instead of Operator/).selectOption({ label: "Read only" });
  await olivia.getByRole("button", { name: "Change …" }).click();
  expect(await olivia.textContent("main")).toContain("block 1 queued run");
  await olivia.locator("main form button").click();
  await olivia.getByRole("heading", { name: "Omar Haddad" }).waitFor();

  await olivia.goto(`${processes.url}/admin/tenants/${world.contoso.id}`);
  await olivia.getByRole("button", { name: "Release the tenant" }).click();

  // The page follows by itself; nobody reloads it.
  await omar.getByRole("heading", { name: /^Blocked by policy: Omar Haddad no longer has/ }).waitFor();
  expect(await omar.textContent("header.verdict")).toContain("Nothing was changed");
  expect(await omar.textContent("main")).toContain("missing_capability");
  expect(await processes.control.requests(world.contoso.directoryId)).toEqual([]);
  await expectNoViolations(omar);

  await omar.goto(`${processes.url}/admin/notifications`);
  expect(await omar.textContent("main")).toContain("Blocked by policy");

  await olivia.goto(`${processes.url}/admin/operations?outcome=blocked`);
  expect(await olivia.locator("table tbody tr").count()).toBe(1);
  await olivia.goto(`${processes.url}/admin/operations?outcome=failed`);
  expect(await olivia.locator("table tbody tr").count()).toBe(0);
  await olivia.goto(runAddress);
  await olivia.getByRole("link", { name: /audit entry/i }).click();
  expect(await olivia.textContent("main")).toContain("Olivia Brandt");

  expect(await statusFor(hugo, runAddress)).toBe(403);
  expect(await statusFor(hugo, `${processes.url}/admin/operations`)).toBe(403);
  expect(await statusFor(nadia, runAddress)).toBe(404);
  expect(await statusFor(nadia, `${processes.url}/admin/operations`)).toBe(404);
});

test("the same work without the revocation reads the directory and succeeds", async () => {
  const olivia = await signIn(world.olivia);
  await olivia.goto(`${processes.url}/admin/tenants/${world.contoso.id}`);
  await olivia.getByRole("button", { name: "Sync inventory" }).click();
  await olivia.getByRole("heading", { name: /^Succeeded/ }).waitFor();
  expect((await processes.control.requests(world.contoso.directoryId)).length).toBeGreaterThan(3);
  await olivia.goto(`${processes.url}/admin/tenants/${world.contoso.id}`);
  expect(await olivia.textContent("main")).toContain("Settings catalog policies");
  await expectNoViolations(olivia);
});

async function signIn(person: TestUser): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(`${processes.url}/admin`);
  await page.getByLabel("Email address").fill(person.email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  return page;
}

async function statusFor(person: TestUser, address: string): Promise<number | undefined> {
  const page = await signIn(person);
  const response = await page.goto(address);
  await page.context().close();
  return response?.status();
}

async function expectNoViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}
