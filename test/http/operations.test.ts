import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { type Browser, makeApp, signIn, type TestApp } from "../helpers/app.ts";
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
import { createRun } from "../helpers/runs.ts";

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
  browser: Browser;
};

/** A workspace of its own with two tenants, an operator and a browser of its owner. */
async function createScene(): Promise<Scene> {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  const adatum = await createTenant(db, { workspace, name: "Adatum Health" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  const owner = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  return { workspace, contoso, adatum, omar, browser: await signIn(app, owner.email) };
}

describe("the list", () => {
  test("leads with what needs a person and keeps blocked apart from failed", async () => {
    const { workspace, contoso, omar, browser } = await createScene();
    const { db } = database;
    const blocked = await createRun(db, {
      workspace,
      tenant: contoso,
      initiator: omar,
      ending: { outcome: "blocked", reasonCode: "missing_capability" },
    });
    const failed = await createRun(db, { workspace, tenant: contoso, ending: { outcome: "failed" } });
    const page = await browser.get("/admin/operations");
    expect(cardOf(page, "Blocked by policy")).toBe("1");
    expect(cardOf(page, "Failed")).toBe("1");
    expect(rowOf(page, blocked)).toContain("tone-block");
    expect(rowOf(page, blocked)).toContain("Omar Haddad no longer has inventory.sync. Nothing was changed.");
    expect(rowOf(page, blocked)).not.toContain("Failed");
    expect(rowOf(page, failed)).toContain("tone-fail");
    expect(rowOf(page, failed)).toContain("Microsoft did not answer.");
    expect(rowOf(page, failed)).not.toContain("Blocked");
  });

  test("filters by status, outcome, operation and tenant, from the address", async () => {
    const { workspace, contoso, adatum, browser } = await createScene();
    const { db } = database;
    const queued = await createRun(db, { workspace, tenant: contoso });
    const running = await createRun(db, { workspace, tenant: adatum, status: "running" });
    const verified = await createRun(db, {
      workspace,
      tenant: contoso,
      operation: "provider.connection.verify",
      ending: { outcome: "succeeded" },
    });
    const failed = await createRun(db, { workspace, tenant: adatum, ending: { outcome: "failed" } });
    const all = [failed, verified, running, queued];
    expect(idsOn(await browser.get("/admin/operations"))).toEqual(all.map(({ id }) => id));
    const shown = async (query: string) => idsOn(await browser.get(`/admin/operations?${query}`));
    expect(await shown("status=queued")).toEqual([queued.id]);
    expect(await shown("status=running")).toEqual([running.id]);
    expect(await shown("outcome=failed")).toEqual([failed.id]);
    expect(await shown("operation=provider.connection.verify")).toEqual([verified.id]);
    expect(await shown(`tenant=${contoso.id}`)).toEqual([verified.id, queued.id]);
    expect(await shown(`tenant=${contoso.id}&outcome=failed`)).toEqual([]);
    expect(await shown("status=nonsense&outcome=&before=x")).toHaveLength(4);
  });

  test("counts and lists what was blocked or failed this week apart from what is older", async () => {
    const { workspace, contoso, browser } = await createScene();
    const lastMonth = new Date(Date.now() - 30 * 86_400_000);
    const ending = { outcome: "failed" } as const;
    await createRun(database.db, { workspace, tenant: contoso, ending, requestedAt: lastMonth });
    const recent = await createRun(database.db, { workspace, tenant: contoso, ending });
    const page = await browser.get("/admin/operations");
    expect(cardOf(page, "Failed")).toBe("1");
    expect(idsOn(await browser.get("/admin/operations?outcome=failed&since=7d"))).toEqual([recent.id]);
    expect(idsOn(await browser.get("/admin/operations?outcome=failed"))).toHaveLength(2);
  });

  test("goes back and forth in pages without losing or repeating a run", async () => {
    const { workspace, contoso, browser } = await createScene();
    const made: string[] = [];
    for (let n = 0; n < 60; n += 1)
      made.unshift(
        (await createRun(database.db, { workspace, tenant: contoso, ending: { outcome: "succeeded" } })).id,
      );
    const first = await browser.get("/admin/operations?outcome=succeeded");
    const second = await browser.get(linkOn(first, "next"));
    const third = await browser.get(linkOn(second, "next"));
    expect([...idsOn(first), ...idsOn(second), ...idsOn(third)]).toEqual(made);
    expect(third.text).not.toContain('rel="next"');
    expect(first.text).not.toContain('rel="prev"');
    expect(idsOn(await browser.get(linkOn(third, "prev")))).toEqual(idsOn(second));
    const again = await browser.get(linkOn(second, "prev"));
    expect(idsOn(again)).toEqual(idsOn(first));
    expect(again.text).not.toContain('rel="prev"');
  });

  test("says why a run waits", async () => {
    const { workspace, contoso, adatum, omar, browser } = await createScene();
    const { db } = database;
    await placeHold(db, { tenant: contoso, by: omar, reason: "credential rotation" });
    const held = await createRun(db, { workspace, tenant: contoso });
    const retried = await createRun(db, { workspace, tenant: adatum });
    await db.query(
      `update operation_runs set attempt = 2, next_attempt_at = now() + interval '10 minutes',
         last_error = 'Microsoft answered 503.' where id = $1`,
      [retried.id],
    );
    const page = await browser.get("/admin/operations");
    expect(rowOf(page, held)).toContain("Tenant on hold by Omar Haddad: “credential rotation”");
    expect(rowOf(page, held)).toContain("No worker is running");
    expect(rowOf(page, retried)).toContain("Attempt 2 failed. Tries again");
    expect(rowOf(page, retried)).toContain("in 10 min");
    expect(rowOf(page, retried)).toContain("Microsoft answered 503.");
    await db.query("insert into worker_pools (pool_id, host) values ('pool', 'host')");
    expect((await browser.get("/admin/operations")).text).not.toContain("No worker is running");
    await db.query("delete from worker_pools");
  });

  test("says which waiting runs would be blocked now", async () => {
    const { workspace, contoso, browser } = await createScene();
    const { db } = database;
    await createConnection(db, { tenant: contoso });
    const rita = await createMember(db, { workspace, role: "readonly", name: "Rita" });
    const risky = await createRun(db, { workspace, tenant: contoso, initiator: rita });
    const page = await browser.get("/admin/operations?attention=at_risk");
    expect(cardOf(page, "At risk")).toBe("1");
    expect(idsOn(page)).toEqual([risky.id]);
    expect(rowOf(page, risky)).toContain("Would be blocked now");
  });

  test("finds running runs whose worker is lost", async () => {
    const { workspace, contoso, browser } = await createScene();
    const { db } = database;
    const heartbeatAt = new Date(Date.now() - 5 * 60_000);
    const lost = await createRun(db, { workspace, tenant: contoso, status: "running", heartbeatAt });
    await createRun(db, { workspace, tenant: contoso, status: "running", heartbeatAt: new Date() });
    const page = await browser.get("/admin/operations?attention=stuck");
    expect(cardOf(page, "Likely stuck")).toBe("1");
    expect(idsOn(page)).toEqual([lost.id]);
    expect(rowOf(page, lost)).toContain("Its worker may be lost");
  });

  test("updates itself only while something waits or runs", async () => {
    const { workspace, contoso, browser } = await createScene();
    await createRun(database.db, { workspace, tenant: contoso, ending: { outcome: "succeeded" } });
    expect((await browser.get("/admin/operations")).text).not.toContain("hx-trigger");
    await createRun(database.db, { workspace, tenant: contoso });
    const page = await browser.get("/admin/operations?outcome=succeeded");
    expect(page.text).toContain('hx-get="/admin/operations?outcome=succeeded"');
  });

  test("when empty names the active filters and offers to clear them", async () => {
    const { contoso, browser } = await createScene();
    const page = await browser.get(`/admin/operations?outcome=blocked&since=7d&tenant=${contoso.id}`);
    expect(page.text).toContain(
      "The list shows only: Blocked by policy, in the last 7 days, Contoso Retail.",
    );
    expect(page.text).toContain('href="/admin/operations">Clear the filters');
    expect((await browser.get("/admin/operations")).text).toContain("No operations yet");
  });

  test("shows a member only the tenants their roles cover, in counts and filters too", async () => {
    const { workspace, contoso, adatum } = await createScene();
    const { db } = database;
    const sam = await createMember(db, { workspace, role: "operator", tenant: contoso });
    const ending = { outcome: "failed" } as const;
    const seen = await createRun(db, { workspace, tenant: contoso, ending });
    await createRun(db, { workspace, tenant: adatum, ending });
    await createRun(db, { workspace, tenant: null, ending });
    const browser = await signIn(app, sam.email);
    const page = await browser.get("/admin/operations");
    expect(idsOn(page)).toEqual([seen.id]);
    expect(cardOf(page, "Failed")).toBe("1");
    expect(page.text).not.toContain("Adatum");
    expect(idsOn(await browser.get(`/admin/operations?tenant=${adatum.id}`))).toEqual([]);
  });

  test("is empty for a member without any role, and a 403 for one whose roles do not show operations", async () => {
    const { workspace, contoso } = await createScene();
    const { db } = database;
    await createRun(db, { workspace, tenant: contoso });
    const newcomer = await createMember(db, { workspace, role: null });
    const page = await (await signIn(app, newcomer.email)).get("/admin/operations");
    expect(page.status).toBe(200);
    expect(idsOn(page)).toEqual([]);
    expect(page.text).toContain("You have no role here yet");
    await createRole(db, { workspace, key: "tenants-only", capabilities: ["tenant.view"] });
    const hugo = await createMember(db, { workspace, role: "tenants-only" });
    const refused = await (await signIn(app, hugo.email)).get("/admin/operations");
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("You may not see operations and their outcomes");
  });

  test("follows the selected workspace", async () => {
    const { workspace, contoso } = await createScene();
    const { db } = database;
    const run = await createRun(db, { workspace, tenant: contoso });
    const both = await createMember(db, { workspace, role: "readonly" });
    const other = await createWorkspace(db, { name: "Zenith" });
    await db.query("insert into memberships (workspace_id, user_id) values ($1, $2)", [other.id, both.id]);
    const browser = await signIn(app, both.email);
    const page = await browser.get("/admin/operations");
    expect(idsOn(page)).toEqual([run.id]);
    const token = /name="_csrf" value="(\w+)"/.exec(page.text)?.[1];
    const select = (id: string) =>
      browser.post("/admin/workspace-selection").type("form").send({ _csrf: token, workspace: id });
    expect((await select(other.id)).status).toBe(303);
    expect(idsOn(await browser.get("/admin/operations"))).toEqual([]);
    // A run's own page follows the run.
    expect((await browser.get(`/admin/operations/${run.id}`)).text).toContain("in the workspace Northwind");
    const foreign = await createWorkspace(db);
    expect((await select(foreign.id)).status).toBe(404);
  });
});

function idsOn(page: Response): string[] {
  return [...page.text.matchAll(/id="run-([0-9a-f-]+)"/g)].map(([, id]) => id ?? "");
}

/** The words of a run's row, without markup. */
function rowOf(page: Response, run: { id: string }): string {
  const row = page.text.split(`id="run-${run.id}"`)[1]?.split("</tr>")[0];
  if (row === undefined) throw new Error("The run is not on the page.");
  return row.replaceAll("&#39;", "'");
}

function cardOf(page: Response, label: string): string | undefined {
  const [before = ""] = page.text.split(`<span class="label">${label}</span>`);
  return [...before.matchAll(/<b[^>]*>([^<]+)<\/b>/g)].at(-1)?.[1];
}

function linkOn(page: Response, rel: "prev" | "next"): string {
  const href = new RegExp(`rel="${rel}" href="([^"]+)"`).exec(page.text)?.[1];
  if (href === undefined) throw new Error(`There is no ${rel} page.`);
  return href.replaceAll("&amp;", "&");
}
