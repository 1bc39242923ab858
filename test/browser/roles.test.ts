import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { useDatabase } from "../helpers/database.ts";
import { createMember, placeHold, type TestUser } from "../helpers/factories.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { launchChromium } from "./chromium.ts";
import { type Processes, startProcesses } from "./processes.ts";
import { expectNoViolations, makeVisitors, picture, textOf } from "./visitors.ts";

/**
 * A role copied, given, and cut while work that relies on it waits. `SCREENSHOTS` names a directory to keep
 * pictures of the pages in: light, dark, and as wide as a telephone.
 */

const database = useDatabase();
let processes: Processes;
let browser: Browser;
let world: Northwind;
let hugo: TestUser;

beforeAll(async () => {
  processes = await startProcesses(database.url);
  browser = await launchChromium();
  const { db } = database;
  world = await seedNorthwind({ db, control: processes.control }, { policies: 3 });
  hugo = await createMember(db, { workspace: world.northwind, role: "readonly", name: "Hugo Weiss" });
});

afterAll(() => browser?.close());
database.beforeDrop(async () => processes?.stop());

test("a role is made, given, and cut while a run that relies on it waits", async () => {
  const { db } = database;
  const { olivia, contoso } = world;
  const { open } = makeVisitors(browser, processes.url);

  const page = await open(olivia, "/admin/members");
  await page.getByRole("link", { name: "Roles", exact: true }).click();
  await look(page, "1-roles");
  await page.getByRole("link", { name: "Operator" }).click();
  await page.getByRole("link", { name: "Copy …" }).click();
  await page.getByLabel("Name").fill("owner");
  await page.getByRole("button", { name: "Make the role" }).click();
  expect(await textOf(page)).toContain("Another role of this workspace has that name.");
  await look(page, "2-copy-refused");
  await page.getByLabel("Name").fill("Sync desk");
  await page.getByRole("button", { name: "Make the role" }).click();
  expect(await textOf(page)).toContain("Sync desk was made. Nobody holds it yet");

  await page.goto(`${processes.url}/admin/members/${hugo.id}`);
  await page.locator(".give").getByLabel("Role").selectOption({ label: "Sync desk" });
  await page.getByRole("button", { name: "Give the role" }).click();
  await placeHold(db, { tenant: contoso, by: olivia });
  const run = await requestAs(db, hugo, "inventory.sync", contoso);

  await page.goto(`${processes.url}/admin/roles`);
  await page.getByRole("link", { name: "Sync desk" }).click();
  await look(page, "3-role");
  await page.getByRole("link", { name: "Edit" }).click();
  await look(page, "4-edit");
  await page.getByRole("checkbox", { name: "sync a tenant's inventory" }).uncheck();
  await page.getByRole("checkbox", { name: "delete backups" }).check();
  await page.getByRole("button", { name: "See what it changes …" }).click();
  expect(await textOf(page)).toContain(
    "Taking inventory.sync from Sync desk will block 1 queued run in 1 tenant.",
  );
  await look(page, "5-question");
  await page.getByRole("button", { name: "Change the role" }).click();
  expect(await textOf(page)).toContain("Sync desk was changed. It blocks 1 queued run in 1 tenant");
  await look(page, "6-changed");

  await page.getByRole("link", { name: "Delete …" }).click();
  expect(await textOf(page)).toContain("Give Hugo Weiss another role first, or end theirs.");
  await look(page, "7-held");

  await page.goto(`${processes.url}/admin/tenants/${contoso.id}/hold`);
  await page
    .getByRole("button", { name: /^Release/ })
    .first()
    .click();
  await page.goto(`${processes.url}/admin/operations/${run}`);
  await page.getByRole("heading", { name: /^Blocked by policy: Hugo Weiss/ }).waitFor();
  await page.getByRole("link", { name: "audit entry" }).click();
  await page.getByRole("heading", { name: "Capability removed from a role" }).waitFor();
  await look(page, "8-audit");
});

/** Nothing for axe to find, in light and in dark, and a picture for whoever wants one. */
async function look(page: Page, name: string): Promise<void> {
  await expectNoViolations(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expectNoViolations(page);
  await page.emulateMedia({ colorScheme: "light" });
  await picture(page, name);
}
