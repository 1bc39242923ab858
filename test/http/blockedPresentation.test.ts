import { beforeAll, describe, expect, test } from "@jest/globals";
import { denials, type ReasonCode } from "../../server/domain/authority/reasons.ts";
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
import { createNotification, createRun } from "../helpers/runs.ts";

/** Blocked is not failed: a colour, a shape, an icon, a word and a count of its own, wherever a run is shown. */

const database = useDatabase();
let app: TestApp;
let scene: { workspace: TestWorkspace; contoso: TestTenant; omar: TestUser; olivia: TestUser };
let browser: Browser;

beforeAll(async () => {
  const { db } = database;
  app = makeApp(db);
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  scene = { workspace, contoso, olivia, omar };
  browser = await signIn(app, olivia.email);
});

const reasons = Object.keys(denials).filter((code): code is ReasonCode => Object.hasOwn(denials, code));

describe.each(reasons)("a run blocked for %s", (reasonCode) => {
  test("says so first on its page, with what that left unchanged, its reason and a next step", async () => {
    const run = await blocked(reasonCode);
    const page = await see(`/admin/operations/${run}`);
    expect(page).toMatch(/<h1>Blocked by policy: [^<]+<\/h1>/);
    expect(page).toContain('class="verdict edge-block"');
    expect(page).toContain("Nothing was changed");
    expect(page).toContain(
      `<code>${reasonCode}</code> · class <code>${denials[reasonCode].denialClass}</code>`,
    );
    expect(verdictOf(page)).not.toMatch(/failed|error|broke/i);
    expect(verdictOf(page)).toMatch(/<p class="muted">[^<]{10,}<\/p>/);
  });

  test("is in the list as blocked, with its reason in words, and never among what failed", async () => {
    const run = await blocked(reasonCode);
    const row = rowOf(await see(`/admin/operations?outcome=blocked&reason=${reasonCode}`), run);
    expect(row).toContain("Blocked by policy");
    expect(row).toContain("tone-block");
    expect(await see("/admin/operations?outcome=failed")).not.toContain(run);
  });

  test("is told to its initiator in the same words", async () => {
    const { db } = database;
    const run = await blocked(reasonCode);
    await createNotification(db, { user: scene.omar, run: { id: run }, outcome: "blocked", reasonCode });
    const told = (await (await signIn(app, scene.omar.email)).get("/admin/notifications")).text;
    expect(told).toContain("Blocked by policy");
    expect(told).toContain(`/admin/operations/${run}`);
  });
});

test("a blocked and a failed run differ in word, colour and shape of icon", async () => {
  const { workspace, contoso, omar } = scene;
  const failed = await createRun(database.db, {
    ...{ workspace, tenant: contoso, initiator: omar },
    ending: { outcome: "failed" },
  });
  const both = [await blocked("missing_capability"), failed.id];
  const [one, other] = await Promise.all(both.map((id) => see(`/admin/operations/${id}`)));
  expect(iconOf(one)).not.toBe(iconOf(other));
  expect(verdictOf(one)).toContain("edge-block");
  expect(verdictOf(other)).toContain("edge-fail");
  expect(verdictOf(other)).not.toContain("Blocked by policy");
});

test("blocked runs have a count and a filter of their own", async () => {
  const page = await see("/admin/operations");
  expect(page).toMatch(/href="[^"]*attention=blocked[^"]*"/);
  expect(page).toMatch(/<b>\d+<\/b>\s*<span class="words"><span class="label">Blocked by policy/);
  expect(page).toMatch(/<b>\d+<\/b>\s*<span class="words"><span class="label">Failed/);
});

test("one that was stopped in the middle says how far it had come before access was revoked", async () => {
  const { workspace, contoso, omar } = scene;
  const { id } = await createRun(database.db, {
    ...{ workspace, tenant: contoso, initiator: omar, done: 12 },
    ending: { outcome: "blocked", reasonCode: "missing_capability" },
  });
  expect(await see(`/admin/operations/${id}`)).toContain(
    "12 policies had been recorded before access was revoked",
  );
});

async function blocked(reasonCode: ReasonCode): Promise<string> {
  const { workspace, contoso, omar } = scene;
  const run = await createRun(database.db, {
    ...{ workspace, tenant: contoso, initiator: omar },
    ending: { outcome: "blocked", reasonCode },
  });
  return run.id;
}

async function see(address: string): Promise<string> {
  const answer = await browser.get(address);
  expect(answer.status).toBe(200);
  return answer.text;
}

function verdictOf(page = ""): string {
  return /<header class="verdict[\s\S]*?<\/header>/.exec(page)?.[0] ?? "";
}

function iconOf(page = ""): string {
  return /<svg[\s\S]*?<\/svg>/.exec(verdictOf(page))?.[0] ?? "";
}

function rowOf(page: string, run: string): string {
  return page.split("<tr").find((row) => row.includes(run)) ?? "";
}
