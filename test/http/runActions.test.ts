import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { beginAttempts } from "../../server/domain/operations/beginAttempts.ts";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createConnection,
  createMember,
  createRole,
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

type Scene = { workspace: TestWorkspace; contoso: TestTenant; olivia: TestUser; omar: TestUser };

async function createScene(): Promise<Scene> {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  await createConnection(db, { tenant: contoso });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  return { workspace, contoso, olivia, omar };
}

describe("cancelling", () => {
  test("a waiting run: its page offers it, asks first, and tells who did it", async () => {
    const scene = await createScene();
    const address = `/admin/operations/${await request(scene)}`;
    const browser = await signIn(app, scene.olivia.email);
    expect((await browser.get(address)).text).toContain(`href="${address}/cancellation">Cancel …`);
    const confirm = await browser.get(`${address}/cancellation`);
    expect(confirm.text).toContain("<h1>Cancel “Sync inventory” at Contoso Retail?</h1>");
    expect(confirm.text).toContain("Omar Haddad asked for it.");
    expect(confirm.text).toContain("It has not begun. It ends at once and never runs.");
    const answer = await submit(browser, `${address}/cancellation`, `${address}/cancellation`);
    expect([answer.status, answer.headers.location]).toEqual([303, address]);
    const page = (await browser.get(address)).text;
    expect(page).toContain("Cancelled: it does not run.");
    expect(page).toContain("<h1>Cancelled: Sync inventory at Contoso Retail</h1>");
    expect(page).toContain("Cancelled by Olivia Brandt. Nothing was changed.");
    expect(page).toContain("Olivia Brandt asked to cancel it");
    expect(page).not.toContain("/cancellation");
    const told = (await (await signIn(app, scene.omar.email)).get("/admin/notifications")).text;
    expect(told).toContain("Cancelled by Olivia Brandt. Nothing was changed.");
  });

  test("a running one: says that it stops, and in the end what had been done", async () => {
    const scene = await createScene();
    const { db } = database;
    const runId = await request(scene);
    const run = await begin(runId);
    const effect = (name: string) =>
      runEffect(db, run, { name, perAttempt: false }, async () => ({ items: 12, counts: { created: 12 } }));
    await effect("page:1");
    const address = `/admin/operations/${runId}`;
    const browser = await signIn(app, scene.omar.email);
    expect((await browser.get(`${address}/cancellation`)).text).toContain(
      "What it has done stays as it is: 12 new.",
    );
    await submit(browser, `${address}/cancellation`, `${address}/cancellation`);
    const asked = (await browser.get(address)).text;
    expect(asked).toContain("Omar Haddad asked to cancel it: it stops before its next change.");
    expect(asked).toContain("Running: Sync inventory");
    await expect(effect("page:2")).rejects.toMatchObject({ because: "cancelled" });
    expect((await browser.get(address)).text).toContain(
      "Cancelled by Omar Haddad. 12 policies had been recorded before it was cancelled.",
    );
  });

  test("one that reached its end first: the page says that there was nothing left to stop", async () => {
    const scene = await createScene();
    const { db } = database;
    const runId = await request(scene);
    const run = await begin(runId);
    const address = `/admin/operations/${runId}`;
    const browser = await signIn(app, scene.omar.email);
    await submit(browser, `${address}/cancellation`, `${address}/cancellation`);
    await db.transaction((tx) => finishRuns(tx, [{ run, ending: { outcome: "succeeded" } }]));
    const page = (await browser.get(address)).text;
    expect(page).toContain("Succeeded: Sync inventory");
    expect(page).toContain("there was nothing left to stop");
  });

  test("one that has ended is answered with a 409 in words", async () => {
    const { workspace, contoso, omar } = await createScene();
    const ending = { outcome: "succeeded" } as const;
    const run = await createRun(database.db, { workspace, tenant: contoso, initiator: omar, ending });
    const address = `/admin/operations/${run.id}`;
    const browser = await signIn(app, omar.email);
    for (const answer of [
      await browser.get(`${address}/cancellation`),
      await submit(browser, "/admin/notifications", `${address}/cancellation`),
    ]) {
      expect(answer.status).toBe(409);
      expect(answer.text).toContain("It cannot be cancelled any more: it has ended already");
    }
  });

  test("somebody else's run takes operations.cancel_any: offered to nobody without, and the 403 names it", async () => {
    const { workspace, contoso, olivia } = await createScene();
    const tom = await createMember(database.db, { workspace, role: "operator" });
    const address = `/admin/operations/${await request({ workspace, contoso, olivia, omar: olivia })}`;
    const browser = await signIn(app, tom.email);
    expect((await browser.get(address)).text).not.toContain("/cancellation");
    for (const answer of [
      await browser.get(`${address}/cancellation`),
      await submit(browser, "/admin/notifications", `${address}/cancellation`),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.text).toContain("<code>operations.cancel_any</code>");
    }
  });
});

describe("asking again", () => {
  test("for a blocked run of somebody else is taking over: confirmed, then linked both ways", async () => {
    const { workspace, contoso, omar, olivia } = await createScene();
    const ending = { outcome: "blocked", reasonCode: "missing_capability" } as const;
    const run = await createRun(database.db, { workspace, tenant: contoso, initiator: omar, ending });
    const address = `/admin/operations/${run.id}`;
    const browser = await signIn(app, olivia.email);
    expect((await browser.get(address)).text).toContain(`href="${address}/rerun">Take over …`);
    const confirm = await browser.get(`${address}/rerun`);
    expect(confirm.text).toContain("<h1>Take over: “Sync inventory” at Contoso Retail?</h1>");
    expect(confirm.text).toContain("authorized as you, Olivia Brandt");
    expect(confirm.text).toContain("It would be accepted now.");
    expect(confirm.text).toContain("Do not start after");
    const answer = await send(browser, `${address}/rerun`, { start_within: "4" });
    expect(answer.status).toBe(303);
    const [, id = ""] = /operations\/([0-9a-f-]{36})$/.exec(answer.headers.location ?? "") ?? [];
    const expiry = await database.db.query(
      `select expires_at - requested_at between '3:59:59' and '4:00:01' as right, initiator_name
       from operation_runs where id = $1`,
      [id],
    );
    expect(expiry).toEqual([{ right: true, initiator_name: "Olivia Brandt" }]);
    const anew = (await browser.get(`/admin/operations/${id}`)).text;
    expect(anew).toContain(`href="${address}">Asks again for “Sync inventory” of Omar Haddad`);
    expect((await browser.get(address)).text).toContain(
      `href="/admin/operations/${id}">Asked for again by Olivia Brandt: Sync inventory`,
    );
  });

  test.each(["succeeded", "partially_succeeded", "failed", "cancelled"] as const)(
    "is offered for a run that %s",
    async (outcome) => {
      const { workspace, contoso, omar } = await createScene();
      const run = await createRun(database.db, {
        workspace,
        tenant: contoso,
        initiator: omar,
        ending: { outcome },
      });
      const page = (await (await signIn(app, omar.email)).get(`/admin/operations/${run.id}`)).text;
      expect(page).toContain("Run again …");
    },
  );

  test("is not offered where it leads nowhere, nor to those who may not", async () => {
    const { workspace, contoso, olivia, omar } = await createScene();
    const { db } = database;
    const gone = await createRun(db, {
      workspace,
      tenant: contoso,
      ending: { outcome: "blocked", reasonCode: "tenant_missing" },
    });
    const owner = await signIn(app, olivia.email);
    expect((await owner.get(`/admin/operations/${gone.id}`)).text).not.toContain("/rerun");
    expect((await owner.get(`/admin/operations/${gone.id}/rerun`)).status).toBe(409);
    const run = await createRun(db, {
      workspace,
      tenant: contoso,
      initiator: omar,
      ending: { outcome: "failed" },
    });
    const rita = await createMember(db, { workspace, role: "readonly" });
    const reader = await signIn(app, rita.email);
    expect((await reader.get(`/admin/operations/${run.id}`)).text).not.toContain("/rerun");
    expect((await reader.get(`/admin/operations/${run.id}/rerun`)).text).toContain(
      "<code>operations.rerun</code>",
    );
    await createRole(db, { workspace, key: "again", capabilities: ["operations.view", "operations.rerun"] });
    const ada = await signIn(app, (await createMember(db, { workspace, role: "again" })).email);
    expect((await ada.get(`/admin/operations/${run.id}/rerun`)).text).toContain("You need inventory.sync");
    const refused = await send(ada, `/admin/operations/${run.id}/rerun`);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("<code>inventory.sync</code>");
  });

  test("says why it would be blocked now, and cannot be sent then", async () => {
    const { workspace, contoso, omar } = await createScene();
    const run = await createRun(database.db, { workspace, tenant: contoso, ending: { outcome: "failed" } });
    await database.db.query("update tenants set lifecycle = 'suspended' where id = $1", [contoso.id]);
    const page = (await (await signIn(app, omar.email)).get(`/admin/operations/${run.id}/rerun`)).text;
    expect(page).toContain("It would be blocked now: Contoso Retail is suspended.");
    expect(page).toContain('<button class="btn primary" disabled>');
  });

  test("shows what it works on that the run did not", async () => {
    const { workspace, contoso, omar } = await createScene();
    const run = await createRun(database.db, { workspace, tenant: contoso, ending: { outcome: "failed" } });
    const page = (await (await signIn(app, omar.email)).get(`/admin/operations/${run.id}/rerun`)).text;
    // It had none, and there is one now.
    expect(page).toMatch(/Connection<\/th><td data-label="Then">none<.*data-label="Now">the one there is</s);
  });

  test("when the same is open already shows that one, and starts another only when told to", async () => {
    const { workspace, contoso, omar } = await createScene();
    const run = await createRun(database.db, {
      workspace,
      tenant: contoso,
      initiator: omar,
      ending: { outcome: "failed" },
    });
    const browser = await signIn(app, omar.email);
    const address = `/admin/operations/${run.id}/rerun`;
    const first = await send(browser, address);
    const second = await send(browser, address);
    expect(second.status).toBe(409);
    expect(second.text).toContain("An identical run is waiting already");
    expect(second.text).toContain(`href="${first.headers.location}">View run`);
    const third = await browser.post(address).type("form").send(fieldsOn(second));
    expect(third.status).toBe(303);
    expect(third.headers.location).not.toBe(first.headers.location);
  });
});

async function request({ contoso, omar }: Scene): Promise<string> {
  const outcome = await requestRun(database.db, {
    operation: "inventory.sync",
    workspaceId: contoso.workspaceId,
    tenantId: contoso.id,
    initiator: omar,
    trigger: "page",
    requestKey: null,
    expiresInHours: 24,
  });
  if (outcome.kind !== "stored") throw new Error(`The request was refused: ${outcome.reasonCode}`);
  return outcome.runId;
}

async function begin(runId: string) {
  const delivery = { operation: "inventory.sync", runId, jobId: "job" } as const;
  const [begun] = await database.db.transaction((tx) => beginAttempts(tx, [delivery]));
  if (begun?.kind !== "authorized") throw new Error(`The run did not begin: ${begun?.kind}`);
  return begun.run;
}

/** Sends the form of a confirm page as a browser would, with what is changed in it. */
async function send(
  browser: Awaited<ReturnType<typeof signIn>>,
  address: string,
  changed: Record<string, string> = {},
): Promise<Response> {
  const page = await browser.get(address);
  return browser
    .post(address)
    .type("form")
    .send({ ...fieldsOn(page), ...changed });
}

/** The hidden fields of the form in the page's middle. */
function fieldsOn(page: Response): Record<string, string> {
  const [, main = ""] = page.text.split("<main");
  const fields = main.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
  return Object.fromEntries([...fields].map(([, name = "", value = ""]) => [name, value]));
}
