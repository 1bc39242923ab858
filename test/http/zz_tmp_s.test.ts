import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "@jest/globals";
import type { AddressInfo } from "node:net";
import { makeApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { createConnection, createMember, createTenant, createWorkspace, password } from "../helpers/factories.ts";
import { createRun } from "../helpers/runs.ts";
import { createSchedule } from "../helpers/schedules.ts";
import { launchChromium } from "../browser/chromium.ts";

const database = useDatabase();
test("shots", async () => {
  const { db } = database;
  const app = makeApp(db);
  const server = app.listen(0);
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  const adatum = await createTenant(db, { workspace, name: "Adatum", lifecycle: "suspended" });
  await createConnection(db, { tenant: contoso });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  const gone = await createMember(db, { workspace, role: "manager", name: "Gone Girl" });
  const a = await createSchedule(db, { workspace, tenant: contoso, steward: olivia, cron: "30 2 * * *", timeZone: "Europe/Berlin", operation: "backup.create" });
  const b = await createSchedule(db, { workspace, tenant: contoso, steward: gone, cron: "0 */6 * * *" });
  await createSchedule(db, { workspace, tenant: adatum, steward: olivia, cron: "0 6 * * 1-5", operation: "provider.connection.verify" });
  await createSchedule(db, { workspace, tenant: contoso, steward: olivia, status: "paused" });
  await db.query("delete from memberships where user_id = $1", [gone.id]);
  for (const [id, outcome] of [[a.id, "succeeded"], [b.id, "failed"]] as const) {
    const run = await createRun(db, { workspace, tenant: contoso, ending: { outcome } as never });
    await db.query("update schedule_states set last_run_id=$2 where schedule_id=$1", [id, run.id]);
  }
  const browser = await launchChromium();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${base}/sign-in`);
  await page.fill("[name=email]", olivia.email);
  await page.fill("[name=password]", password);
  await page.click("main button");
  for (const [name, path] of [["list", "/admin/schedules"], ["show", `/admin/schedules/${b.id}`], ["new", "/admin/schedules/new"], ["pause", `/admin/schedules/${a.id}/pause`], ["transfer", `/admin/schedules/transfer?schedule=${a.id}&schedule=${b.id}`], ["removal", `/admin/schedules/${a.id}/removal`]] as const) {
    await page.goto(base + path);
    const found = await new AxeBuilder({ page }).analyze();
    console.log(name, found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`));
    await page.screenshot({ path: `/tmp/shots-s/${name}.png`, fullPage: true });
    if (name === "list" || name === "new") { await page.setViewportSize({ width: 390, height: 800 }); await page.screenshot({ path: `/tmp/shots-s/${name}-phone.png`, fullPage: true }); await page.setViewportSize({ width: 1280, height: 900 }); }
  }
  await browser.close();
  server.close();
  expect(1).toBe(1);
}, 120000);
