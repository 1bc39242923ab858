import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { expect } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { password } from "../helpers/factories.ts";

/** A window of somebody's own, signed in through the form. Everyone's password is the demo's. */
async function signIn(browser: Browser, url: string, person: { email: string }): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(`${url}/admin`);
  await page.getByLabel("Email address").fill(person.email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  return page;
}

/** A window for everybody who comes, kept for as long as they stay. */
export function makeVisitors(browser: Browser, url: string) {
  const windows = new Map<string, Promise<Page>>();
  const windowOf = (person: { email: string }): Promise<Page> => {
    const opened = windows.get(person.email) ?? signIn(browser, url, person);
    windows.set(person.email, opened);
    return opened;
  };
  return {
    windowOf,
    async open(person: { email: string }, path: string): Promise<Page> {
      const page = await windowOf(person);
      await page.goto(`${url}${path}`);
      return page;
    },
    async statusFor(person: { email: string }, path: string): Promise<number | undefined> {
      const page = await windowOf(person);
      return (await page.goto(`${url}${path}`))?.status();
    },
    /** Whether the list of operations that ended so leads to the run. */
    async isListed(page: Page, outcome: "blocked" | "failed", path: string): Promise<boolean> {
      await page.goto(`${url}/admin/operations?outcome=${outcome}`);
      return (await page.locator(`main a[href="${path}"]`).count()) > 0;
    },
  };
}

/** What the page says, its title and heading included. */
export async function textOf(page: Page): Promise<string> {
  return ((await page.textContent("main")) ?? "").replace(/\s+/g, " ");
}

/** Keeps pictures where `SCREENSHOTS` says, if it does: light, dark, and as wide as a telephone. */
export async function picture(page: Page, name: string): Promise<void> {
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

export async function expectNoViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}
