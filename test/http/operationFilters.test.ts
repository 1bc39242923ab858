import { beforeAll, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { v7 as uuidv7 } from "uuid";
import { startOfDay } from "../../server/http/days.ts";
import { type Browser, makeApp, signIn, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createMember,
  createTenant,
  createWorkspace,
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

async function createScene(): Promise<Scene> {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  const adatum = await createTenant(db, { workspace, name: "Adatum 100% Health" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  return { workspace, contoso, adatum, omar, browser: await signIn(app, olivia.email) };
}

test("by reason, initiator and trigger, alone and together", async () => {
  const { workspace, contoso, omar, browser } = await createScene();
  const { db } = database;
  const made = { workspace, tenant: contoso };
  const denied = { outcome: "blocked", reasonCode: "missing_capability" } as const;
  const lacking = await createRun(db, { ...made, initiator: omar, ending: denied });
  const closed = await createRun(db, { ...made, ending: { ...denied, reasonCode: "tenant_not_operable" } });
  const done = await createRun(db, {
    ...made,
    initiator: omar,
    trigger: "command",
    ending: { outcome: "succeeded" },
  });
  const shown = shownOn(browser);
  expect(await shown("reason=missing_capability")).toEqual([lacking.id]);
  expect(await shown("initiator=system")).toEqual([closed.id]);
  expect(await shown(`initiator=${omar.id}`)).toEqual([done.id, lacking.id]);
  expect(await shown(`initiator=${omar.id}&reason=missing_capability`)).toEqual([lacking.id]);
  expect(await shown("trigger=command")).toEqual([done.id]);
  expect(await shown("trigger=page")).toEqual([closed.id, lacking.id]);
  expect(await shown("reason=nonsense&initiator=x&trigger=y&from=z&to=2026-02-31")).toHaveLength(3);
});

test("by date, in the viewer's own days", async () => {
  const { workspace, contoso } = await createScene();
  const { db } = database;
  const at = async (time: string) => {
    const requestedAt = new Date(time);
    const id = uuidv7({ msecs: requestedAt.getTime() });
    return (await createRun(db, { workspace, tenant: contoso, requestedAt, id })).id;
  };
  const eve = await at("2026-03-09T22:30:00Z");
  const noon = await at("2026-03-10T12:00:00Z");
  const late = await at("2026-03-10T23:30:00Z");
  const paula = await createMember(db, { workspace, role: "readonly" });
  const shown = shownOn(await signIn(app, paula.email));
  expect(await shown("from=2026-03-10&to=2026-03-10")).toEqual([late, noon]);
  expect(await shown("to=2026-03-09")).toEqual([eve]);
  expect(await shown("from=2026-03-10")).toEqual([late, noon]);
  await db.query("update user_profiles set time_zone = 'Europe/Helsinki' where user_id = $1", [paula.id]);
  expect(await shown("from=2026-03-10&to=2026-03-10")).toEqual([noon, eve]);
});

test("a day begins when it does in the zone, also when the clocks change on it", () => {
  expect(startOfDay("2026-03-29", "Europe/Berlin").toISOString()).toBe("2026-03-28T23:00:00.000Z");
  expect(startOfDay("2026-03-29", "Europe/Berlin", 1).toISOString()).toBe("2026-03-29T22:00:00.000Z");
  expect(startOfDay("2026-10-25", "America/New_York").toISOString()).toBe("2026-10-25T04:00:00.000Z");
  expect(startOfDay("2026-01-01", "Asia/Kolkata").toISOString()).toBe("2025-12-31T18:30:00.000Z");
});

test("by text: part of a tenant's, a person's or an operation's name, or the beginning of a run's id", async () => {
  const { workspace, contoso, adatum, omar, browser } = await createScene();
  const { db } = database;
  const sync = await createRun(db, { workspace, tenant: contoso, initiator: omar });
  const verify = await createRun(db, { workspace, tenant: adatum, operation: "provider.connection.verify" });
  const shown = shownOn(browser);
  expect(await shown("text=contoso")).toEqual([sync.id]);
  expect(await shown("text=haddad")).toEqual([sync.id]);
  expect(await shown("text=verify")).toEqual([verify.id]);
  expect(await shown("text=100%25 h")).toEqual([verify.id]);
  expect(await shown("text=%25")).toEqual([verify.id]);
  expect(await shown("text=nobody")).toEqual([]);
  expect(await shown(`text=${sync.id}`)).toEqual([sync.id]);
  expect(await shown(`text=${sync.id.toUpperCase()}`)).toEqual([sync.id]);
  expect(await shown(`text=${sync.id.slice(0, 8)}`)).toContain(sync.id);
  expect(await shown("text=contoso&status=running")).toEqual([]);
});

test("a text finds nothing of tenants that somebody's roles do not cover", async () => {
  const { workspace, contoso, adatum } = await createScene();
  const { db } = database;
  const foreign = await createRun(db, { workspace, tenant: adatum });
  const rita = await createMember(db, { workspace, role: "readonly", tenant: contoso });
  const shown = shownOn(await signIn(app, rita.email));
  expect(await shown("text=adatum")).toEqual([]);
  expect(await shown(`text=${foreign.id}`)).toEqual([]);
});

test("people to filter by are those whose runs one sees, and no others", async () => {
  const { workspace, contoso, adatum, omar } = await createScene();
  const { db } = database;
  const tom = await createMember(db, { workspace, role: "operator", name: "Tom Foreign" });
  await createRun(db, { workspace, tenant: contoso, initiator: omar });
  await createRun(db, { workspace, tenant: adatum, initiator: tom });
  const rita = await createMember(db, { workspace, role: "readonly", tenant: contoso });
  const page = await (await signIn(app, rita.email)).get("/admin/operations");
  expect(page.text).toContain(`<option value="${omar.id}">Omar Haddad`);
  expect(page.text).not.toContain("Tom Foreign");
});

test("an empty list names every active filter and offers to clear them", async () => {
  const { omar, workspace, contoso, browser } = await createScene();
  await createRun(database.db, { workspace, tenant: contoso, initiator: omar });
  const query = `reason=write_gate_blocked&initiator=${omar.id}&trigger=schedule&from=2026-03-01&to=2026-03-31&text=xyz`;
  const page = await browser.get(`/admin/operations?${query}`);
  expect(page.text).toContain(
    "The list shows only: Write gate, of Omar Haddad, By a schedule, from 1 Mar 2026, until 31 Mar 2026, “xyz”.",
  );
  expect(page.text).toContain('href="/admin/operations">Clear the filters');
  expect(page.text).toContain("<details open>");
});

test("pages keep the filters", async () => {
  const { workspace, contoso, omar, browser } = await createScene();
  for (let n = 0; n < 30; n += 1)
    await createRun(database.db, { workspace, tenant: contoso, ...(n % 15 !== 0 && { initiator: omar }) });
  const first = await browser.get(`/admin/operations?initiator=${omar.id}`);
  expect(idsOn(first)).toHaveLength(25);
  const href = /rel="next" href="([^"]+)"/.exec(first.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  expect(idsOn(await browser.get(href))).toHaveLength(3);
});

function shownOn(browser: Browser) {
  return async (query: string) => idsOn(await browser.get(`/admin/operations?${query}`));
}

function idsOn(page: Response): string[] {
  return [...page.text.matchAll(/id="run-([0-9a-f-]+)"/g)].map(([, id]) => id ?? "");
}

test("a name is looked for among the tenants somebody may see: others do not crowd it out", async () => {
  const { workspace } = await createScene();
  const { db } = database;
  for (let n = 10; n <= 60; n += 1) await createTenant(db, { workspace, name: `Harbour ${n}` });
  const tenant = await createTenant(db, { workspace, name: "The harbour" });
  const sam = await createMember(db, { workspace, role: "operator", tenant });
  const run = await createRun(db, { workspace, tenant, initiator: sam, ending: { outcome: "succeeded" } });
  const shown = shownOn(await signIn(app, sam.email));
  expect(await shown("text=harbour")).toEqual([run.id]);
});
