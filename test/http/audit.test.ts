import { beforeAll, expect, test } from "@jest/globals";
import { recordAudit } from "../../server/domain/audit/recordAudit.ts";
import { makeApp, signIn, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { createMember, createTenant, createWorkspace } from "../helpers/factories.ts";

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db);
});

async function createScene() {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  const adatum = await createTenant(db, { workspace, name: "Adatum Health" });
  const [aboutContoso = "", aboutAdatum = "", aboutWorkspace = ""] = await db.transaction((tx) =>
    recordAudit(
      tx,
      ...[contoso.id, adatum.id, null].map((tenantId) => ({
        workspaceId: workspace.id,
        tenantId,
        actor: { id: workspace.id, name: "Olivia Brandt" },
        action: tenantId === null ? "workspace.renamed" : "tenant.held",
        subject: { type: tenantId === null ? "workspace" : "tenant", id: tenantId ?? workspace.id } as const,
        outcome: "done" as const,
        details: { before: { lifecycle: "active" }, reason: "credential rotation" },
      })),
    ),
  );
  return { workspace, contoso, aboutContoso, aboutAdatum, aboutWorkspace };
}

test("the trail shows who did what, newest first, and an entry all its details", async () => {
  const { workspace, aboutContoso, aboutWorkspace } = await createScene();
  const owner = await createMember(database.db, { workspace, role: "owner" });
  const browser = await signIn(app, owner.email);
  const list = await browser.get("/admin/audit");
  expect(list.text).toContain("Workspace renamed");
  expect(list.text.indexOf(aboutWorkspace)).toBeLessThan(list.text.indexOf(aboutContoso));
  const entry = await browser.get(`/admin/audit/${aboutContoso}`);
  expect(entry.text).toContain("Olivia Brandt");
  expect(entry.text).toContain("Contoso Retail");
  expect(entry.text).toContain("credential rotation");
  expect(entry.text).toContain("<dt>before</dt><dd><pre>lifecycle: active</pre></dd>");
});

test("whoever holds audit.view at one tenant sees that tenant's entries only", async () => {
  const { workspace, contoso, aboutContoso, aboutAdatum, aboutWorkspace } = await createScene();
  const manager = await createMember(database.db, { workspace, role: "manager", tenant: contoso });
  const browser = await signIn(app, manager.email);
  const list = await browser.get("/admin/audit");
  expect(list.text).toContain(aboutContoso);
  expect(list.text).not.toContain(aboutAdatum);
  expect(list.text).not.toContain("Workspace renamed");
  expect((await browser.get(`/admin/audit/${aboutContoso}`)).status).toBe(200);
  expect((await browser.get(`/admin/audit/${aboutAdatum}`)).status).toBe(404);
  expect((await browser.get(`/admin/audit/${aboutWorkspace}`)).status).toBe(404);
});

test("what runs recorded can be left out, and what was denied seen alone, over pages", async () => {
  const { workspace, contoso } = await createScene();
  const recorded = { workspaceId: workspace.id, tenantId: contoso.id, actor: null };
  const subject = { type: "tenant", id: contoso.id } as const;
  await database.db.transaction((tx) =>
    recordAudit(
      tx,
      ...Array.from({ length: 60 }, () => ({
        ...{ ...recorded, subject },
        ...{ action: "run.effect", outcome: "done" as const },
      })),
      { ...recorded, subject, action: "run.blocked", outcome: "denied" },
    ),
  );
  const browser = await signIn(app, (await createMember(database.db, { workspace, role: "owner" })).email);
  const without = await browser.get("/admin/audit?kind=without_runs");
  expect(without.text).toContain("Workspace renamed");
  expect(without.text).not.toMatch(/Change recorded|Run blocked by policy/);
  const denied = await browser.get("/admin/audit?kind=denied");
  expect(denied.text).toContain("Run blocked by policy");
  expect(denied.text).not.toMatch(/Change recorded|Workspace renamed/);
  const all = await browser.get("/admin/audit");
  expect(all.text).not.toContain("Workspace renamed");
  expect((await browser.get(linkOn(all.text, "next"))).text).toContain("Workspace renamed");
});

test("older entries are on the next page, and back", async () => {
  const { workspace } = await createScene();
  await database.db.transaction((tx) =>
    recordAudit(
      tx,
      ...Array.from({ length: 60 }, (_, n) => ({
        workspaceId: workspace.id,
        tenantId: null,
        actor: null,
        action: `numbered.${n}`,
        subject: { type: "workspace", id: workspace.id } as const,
        outcome: "done" as const,
      })),
    ),
  );
  const owner = await createMember(database.db, { workspace, role: "owner" });
  const browser = await signIn(app, owner.email);
  const first = await browser.get("/admin/audit");
  const second = await browser.get(linkOn(first.text, "next"));
  expect(second.text).toContain("Numbered 0<");
  expect(first.text).not.toContain("Numbered 0<");
  const back = await browser.get(linkOn(second.text, "prev"));
  expect(back.text).toContain("Numbered 59<");
});

function linkOn(page: string, rel: "prev" | "next"): string {
  const [, href = ""] = new RegExp(`rel="${rel}" href="([^"]+)"`).exec(page) ?? [];
  return href;
}
