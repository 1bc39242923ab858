import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { useDatabase } from "../helpers/database.ts";
import { createMember, password, type TestUser } from "../helpers/factories.ts";
import { until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { launchChromium } from "./chromium.ts";
import { type Processes, startProcesses } from "./processes.ts";

/**
 * Backup, restore and a revocation in the midst of it, as people live through it. `SCREENSHOTS` names a directory
 * to keep pictures of the pages in: light, dark, and as wide as a telephone.
 */

const database = useDatabase();
let processes: Processes;
let browser: Browser;
let world: Northwind;
let mia: TestUser;

beforeAll(async () => {
  processes = await startProcesses(database.url);
  browser = await launchChromium();
  const { db } = database;
  world = await seedNorthwind({ db, control: processes.control }, { policies: 10 });
  mia = await createMember(db, { workspace: world.northwind, role: "manager", name: "Mia Lindqvist" });
});

afterAll(() => browser?.close());
database.beforeDrop(async () => processes?.stop());

test("a restore whose initiator loses the right stops before its next write and says how far it came", async () => {
  const [manager, olivia] = [await signIn(mia), await signIn(world.olivia)];
  const { contoso } = world;

  await manager.goto(`${processes.url}/admin/tenants/${contoso.id}`);
  await manager.getByRole("link", { name: /^Back up/ }).click();
  await expectNoViolations(manager);
  await manager.getByRole("button", { name: "Back up now" }).click();
  await manager.getByRole("heading", { name: /^Succeeded/ }).waitFor();
  await manager.getByRole("link", { name: "Open the backup" }).click();
  const restoring = manager.getByRole("link", { name: /^Restore …/ });
  await restoring.waitFor();
  await picture(manager, "1-backup");
  await expectNoViolations(manager);
  await expectCopied(manager);

  const [changed, ...deleted] = await disturb();

  await restoring.click();
  await manager.getByRole("button", { name: "Preview" }).click();
  const confirmation = manager.getByRole("link", { name: /^Confirm/ });
  await confirmation.waitFor();
  await manager.getByRole("group").filter({ hasText: "1 field" }).locator("summary").click();
  expect(await manager.textContent("main")).toContain("changed by somebody at the tenant");
  for (const name of [changed, ...deleted]) expect(await manager.textContent("main")).toContain(name);
  await picture(manager, "2-preview");
  await expectNoViolations(manager);

  // The second of the creations stays on the wire until it is let go.
  const { directoryId } = contoso;
  await processes.control.setFaults(directoryId, [
    { kind: "hold", method: "POST", path: "/deviceConfigurations", skip: 1, times: 1 },
  ]);
  await processes.control.clearRequests();
  await confirmation.click();
  await picture(manager, "3-confirm");
  await expectNoViolations(manager);
  await manager.getByLabel(/^Type .* to confirm/).fill("Contoso");
  await manager.getByLabel("Reason").fill("undo Friday's changes");
  await manager.getByRole("button", { name: "Restore" }).click();
  await manager.getByText("Type Contoso Retail to confirm.").waitFor();
  await manager.getByLabel(/^Type .* to confirm/).fill("Contoso Retail");
  await manager.getByRole("button", { name: "Restore" }).click();

  await manager.getByRole("heading", { name: /^Running/ }).waitFor();
  await until(async () => (await writes()) === 2);
  await manager.getByRole("progressbar").waitFor();
  await picture(manager, "4-running");
  await expectNoViolations(manager);

  await olivia.goto(`${processes.url}/admin/members/${mia.id}`);
  await olivia.getByLabel(/^New role instead of Manager/).selectOption({ label: "Read only" });
  await olivia.getByRole("button", { name: "Change …" }).click();
  await picture(olivia, "5-revoke");
  const answered = olivia.waitForEvent("load");
  await olivia.locator("main form button").first().click({ noWaitAfter: true });
  await until(isRevoked);
  await processes.control.clearFaults(directoryId);
  await answered;
  await olivia.getByText("already on the way to Microsoft was waited for: 1 had been made").waitFor();
  await picture(olivia, "6-revoked");
  await expectNoViolations(olivia);

  // The page follows by itself; nobody reloads it.
  await manager.getByRole("heading", { name: /^Blocked by policy: Mia Lindqvist no longer has/ }).waitFor();
  expect(await manager.textContent("header.verdict")).toContain("2 of 10 items had been changed");
  await picture(manager, "7-blocked");
  await expectNoViolations(manager);
  expect(await writes()).toBe(2);
  const there = await namesAt();
  expect(deleted.filter((name) => there.includes(name)).length).toBe(2);
});

/** An item of the backup that is open shows its payload, and the button beside it copies just that. */
async function expectCopied(page: Page): Promise<void> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const [first] = await processes.control.listPolicies(world.contoso.directoryId, "deviceConfigurations");
  const name = String(first?.payload.displayName);
  await page.getByRole("link", { name, exact: true }).click();
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByText("Copied").waitFor();
  expect(JSON.parse(await page.evaluate("navigator.clipboard.readText()"))).toMatchObject({
    displayName: name,
  });
  await page.goBack();
}

/** Somebody changes one policy at the tenant and deletes three others; their names, that of the changed one first. */
async function disturb(): Promise<string[]> {
  const { control } = processes;
  const { directoryId } = world.contoso;
  const [compliance] = await control.listPolicies(directoryId, "deviceCompliancePolicies");
  if (compliance === undefined) throw new Error("The directory has no compliance policy.");
  const { id, payload, assignments } = compliance;
  const description = "changed by somebody at the tenant";
  await control.putPolicy(
    directoryId,
    "deviceCompliancePolicies",
    id,
    { ...payload, description },
    assignments,
  );
  const gone = (await control.listPolicies(directoryId, "deviceConfigurations")).slice(0, 3);
  for (const { id } of gone) await control.removePolicy(directoryId, "deviceConfigurations", id);
  return [payload, ...gone.map((each) => each.payload)].map(({ displayName }) => String(displayName));
}

async function namesAt(): Promise<string[]> {
  const kept = await processes.control.listPolicies(world.contoso.directoryId, "deviceConfigurations");
  return kept.map(({ payload }) => String(payload.displayName));
}

async function writes(): Promise<number> {
  const asked = await processes.control.requests(world.contoso.directoryId);
  return asked.filter(
    ({ kind, method, path }) => kind === "graph" && method !== "GET" && !path.endsWith("$batch"),
  ).length;
}

async function isRevoked(): Promise<boolean> {
  const rows = await database.db.query(
    `select 1 from role_assignments a join roles r on r.id = a.role_id
     where a.user_id = $1 and r.key = 'readonly'`,
    [mia.id],
  );
  return rows.length > 0;
}

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

async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env.SCREENSHOTS;
  if (directory === undefined) return;
  const size = page.viewportSize();
  const take = (kind: string) =>
    page.screenshot({ path: join(directory, `${name}-${kind}.png`), fullPage: true });
  await take("light");
  await page.emulateMedia({ colorScheme: "dark" });
  await take("dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await take("narrow");
  if (size !== null) await page.setViewportSize(size);
}

async function expectNoViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}
