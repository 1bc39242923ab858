import type { Page } from "playwright-core";
import type { Person, Tenant } from "../../server/demo/seed/cast.ts";

/** What people do on the pages, each as a person does it: by the words that are on the buttons. */
export type Deeds = ReturnType<typeof makeDeeds>;

export function makeDeeds(url: string) {
  const openTenant = (page: Page, { id }: Tenant) => page.goto(`${url}/admin/tenants/${id}`);
  const openMember = (page: Page, { id }: Person) => page.goto(`${url}/admin/members/${id}`);
  return {
    async hold(page: Page, tenant: Tenant): Promise<void> {
      await openTenant(page, tenant);
      await page.getByLabel("Reason").fill("credential rotation");
      await page.getByRole("button", { name: "Hold the tenant" }).click();
      await page.getByRole("heading", { name: `${tenant.name} is on hold` }).waitFor();
    },
    async release(page: Page, tenant: Tenant): Promise<void> {
      await openTenant(page, tenant);
      await page.getByRole("button", { name: "Release the tenant" }).click();
      await page.getByRole("button", { name: "Hold the tenant" }).waitFor();
    },
    /** Starts a sync; the page is the run's then. */
    async startSync(page: Page, tenant: Tenant): Promise<void> {
      await openTenant(page, tenant);
      await page.getByRole("button", { name: "Sync inventory" }).click();
      await page.waitForURL(/\/admin\/operations\/[0-9a-f-]{36}/);
    },
    async suspend(page: Page, tenant: Tenant): Promise<void> {
      await openTenant(page, tenant);
      await page.getByRole("link", { name: /^Suspend/ }).click();
      await confirm(page);
    },
    /** Asks for a smaller role; the page asks whether it is meant. */
    async askForReadOnly(page: Page, member: Person): Promise<void> {
      await openMember(page, member);
      await page.getByLabel(/^New role instead of Operator/).selectOption({ label: "Read only" });
      await page.getByRole("button", { name: "Change …" }).click();
    },
    /** Asks for somebody's removal; the page asks whether it is meant. */
    async askForRemoval(page: Page, member: Person): Promise<void> {
      await openMember(page, member);
      await page.getByRole("link", { name: "Remove …" }).click();
      await page.getByLabel(`Type ${member.name} to confirm`).fill(member.name);
    },
    confirm,
  };
}

async function confirm(page: Page): Promise<void> {
  const asked = page.url();
  await page.locator("main form button").first().click();
  await page.waitForURL((address) => address.href !== asked);
}
