import { beforeAll, expect, test } from "@jest/globals";
import { type Begun, beginAttempts } from "../../server/domain/operations/beginAttempts.ts";
import { failAttempt } from "../../server/domain/operations/endAttempt.ts";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { requeueLostRuns } from "../../server/domain/operations/rescueRuns.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { RunStopped, runEffect } from "../../server/domain/operations/runEffect.ts";
import { changeMemberRole } from "../../server/domain/people/changeMember.ts";
import { makeApp, signIn, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createConnection,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  getRole,
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

test("a run blocked as it began says so first, what that left unchanged, why, and what to do", async () => {
  const scene = await createScene();
  const runId = await request(scene);
  await revoke(scene);
  await deliver(runId, "job");
  const page = await see(scene.olivia, `/admin/operations/${runId}`);
  expect(page).toContain("<h1>Blocked by policy: Omar Haddad no longer has inventory.sync</h1>");
  expect(page).toContain("Nothing was changed at Contoso Retail.");
  expect(page).toContain("Have the capability granted, or start it again as somebody who holds it.");
  expect(page).toContain("You can grant it.");
  expect(await see(scene.omar, `/admin/operations/${runId}`)).toContain("Olivia Brandt can grant it.");
  expect(page).toContain(", before it began</h2>");
  expect(page).toContain("<code>missing_capability</code> · class <code>capability_denied</code>");
  expect(checkOn(page, "Capability")).toContain("inventory.sync is held through Operator");
  expect(checkOn(page, "Capability")).toContain("inventory.sync is not held");
  expect(checkOn(page, "Capability")).toContain("Denied");
  expect(checkOn(page, "Initiator")).toContain("same");
  expect(checkOn(page, "Initiator")).toContain("Passed");
  expect(page).toContain("Omar Haddad notified");
  expect(page).not.toContain("tone-fail");
  expect(page).not.toContain("hx-get");
});

test("what changed since the request leads to its audit entry, for those who may see the trail", async () => {
  const scene = await createScene();
  const runId = await request(scene);
  await revoke(scene);
  await deliver(runId, "job");
  const seen = await see(scene.olivia, `/admin/operations/${runId}`);
  const [, address = ""] = /Role changed by Olivia Brandt, .*href="([^"]+)">audit entry/.exec(seen) ?? [];
  expect(await see(scene.olivia, address)).toContain("Role changed");
  const own = await see(scene.omar, `/admin/operations/${runId}`);
  expect(own).toContain("Blocked by policy");
  expect(own).not.toContain("audit entry");
});

test("a run stopped in the middle tells what had been done before", async () => {
  const scene = await createScene();
  const run = await begin(await request(scene));
  await record(run, "page:1", { created: 12, unchanged: 236 });
  await revoke(scene);
  await expect(record(run, "page:2", { created: 1 })).rejects.toBeInstanceOf(RunStopped);
  const page = await see(scene.olivia, `/admin/operations/${run.id}`);
  expect(page).toContain("Blocked by policy: Omar Haddad no longer has inventory.sync");
  expect(page).toContain("248 policies had been recorded before access was revoked.");
  expect(page).not.toContain("Nothing was changed");
  expect(page).toContain(", before the next change</h2>");
  expect(page).toContain("<dt>new</dt><dd>12</dd>");
});

test("a run blocked as it was requested shows the checks of the request", async () => {
  const scene = await createScene();
  const litware = await createTenant(database.db, {
    workspace: scene.workspace,
    name: "Litware",
    lifecycle: "suspended",
  });
  await createConnection(database.db, { tenant: litware });
  const runId = await request({ ...scene, contoso: litware });
  const page = await see(scene.omar, `/admin/operations/${runId}`);
  expect(page).toContain("Blocked by policy: Litware is suspended");
  expect(page).toContain("Nothing was changed at Litware.");
  expect(checkOn(page, "Tenant lifecycle")).toContain("suspended");
  expect(page).not.toContain("At execution");
  expect(page).toContain("denied at request");
});

test("a connection that cannot be used is put in words once, with what to correct", async () => {
  const scene = await createScene();
  const runId = await request(scene);
  const cause = "The identity provider refused the secret.";
  await database.db.query(
    "update provider_connections set status = 'invalid', cause = $2 where tenant_id = $1",
    [scene.contoso.id, cause],
  );
  await deliver(runId, "job");
  const page = await see(scene.olivia, `/admin/operations/${runId}`);
  expect(page).toContain("cannot be used: The identity provider refused the secret</h1>");
  expect(page).toContain("Correct the application’s secret or permissions, verify the connection");
});

test("a waiting run says why, would-be denials included, and updates itself", async () => {
  const scene = await createScene();
  const runId = await request(scene);
  await revoke(scene);
  const page = await see(scene.olivia, `/admin/operations/${runId}`);
  expect(page).toContain("Queued: Sync inventory at Contoso Retail");
  expect(page).toContain("Would be blocked now: Omar Haddad no longer has inventory.sync.");
  expect(page).toContain("No worker is running");
  expect(page).toContain(`hx-get="/admin/operations/${runId}"`);
  expect(page).toContain('hx-trigger="every 2s"');
});

test("a running run shows how far it is", async () => {
  const scene = await createScene();
  const run = await begin(await request(scene));
  await record(run, "page:1", { created: 25 });
  const page = await see(scene.olivia, `/admin/operations/${run.id}`);
  expect(page).toContain("Running: Sync inventory at Contoso Retail");
  expect(page).toContain("25 items so far");
  expect(page).toContain("<progress");
  expect(page).toContain("Authorized and started");
});

test("one that has run for a while says how fast it goes, on its page and in the list", async () => {
  const { workspace, contoso, olivia } = await createScene();
  const requestedAt = new Date(Date.now() - 60_000);
  const run = await createRun(database.db, {
    ...{ workspace, tenant: contoso, initiator: olivia, status: "running", done: 24, requestedAt },
    heartbeatAt: new Date(),
  });
  for (const address of [`/admin/operations/${run.id}`, "/admin/operations"])
    expect(await see(olivia, address)).toMatch(/24 items so far · 2[34] a minute/);
});

test("an attempt whose worker was lost is a step of its own, before the one that took its place", async () => {
  const { db } = database;
  const scene = await createScene();
  const runId = await request(scene);
  await begin(runId, "job-1");
  await db.query(
    "update operation_runs set heartbeat_at = clock_timestamp() - interval '1 hour' where id = $1",
    [runId],
  );
  await requeueLostRuns(db, 45_000);
  await begin(runId, "job-2");
  const page = await see(scene.olivia, `/admin/operations/${runId}`);
  expect(page.indexOf("Attempt 1 lost its worker")).toBeGreaterThan(0);
  expect(page.indexOf("Attempt 1 lost its worker")).toBeLessThan(page.indexOf("Authorized again, attempt 2"));
});

test("a failed run keeps the errors of its attempts, in red and not as blocked", async () => {
  const scene = await createScene();
  const runId = await request(scene);
  const fault = { code: "provider_unavailable", message: "Microsoft answered 503." } as const;
  for (let attempt = 1; attempt <= 5; attempt += 1)
    await failAttempt(database.db, await begin(runId, `job-${attempt}`), fault);
  const page = await see(scene.olivia, `/admin/operations/${runId}`);
  expect(page).toContain("Failed: Sync inventory at Contoso Retail");
  expect(page).toContain("<p>Microsoft answered 503.</p>");
  expect(page).toContain("<p>Nothing was changed.</p>");
  expect(page).toContain("Start it again; if it fails again, check Microsoft’s service health.");
  expect(page).toContain(`class="btn" href="/admin/tenants/${scene.contoso.id}">Open the tenant`);
  expect(page).toContain("<code>provider_unavailable</code>");
  expect(page).toContain("Attempt 1 failed");
  expect(page).toContain("Authorized again, attempt 5");
  expect(page).not.toContain("Blocked by policy");
  expect(page).not.toContain("tone-block");
});

test("a succeeded run tells its tally", async () => {
  const scene = await createScene();
  const run = await begin(await request(scene));
  await record(run, "page:1", { created: 8, changed: 3, gone: 1 });
  await database.db.transaction((tx) => finishRuns(tx, [{ run, ending: { outcome: "succeeded" } }]));
  const page = await see(scene.omar, `/admin/operations/${run.id}`);
  expect(page).toContain("Succeeded: Sync inventory at Contoso Retail");
  expect(page).toContain("8 new · 3 changed · 1 gone");
});

test("what was asked for in detail is for those with operations.view_payload", async () => {
  const scene = await createScene();
  const runId = await request(scene);
  expect(await see(scene.olivia, `/admin/operations/${runId}`)).toContain("deviceConfigurations");
  expect(await see(scene.omar, `/admin/operations/${runId}`)).not.toContain("deviceConfigurations");
});

test("the verdict exports with its value at request and at execution", async () => {
  const scene = await createScene();
  const runId = await request(scene);
  await revoke(scene);
  await deliver(runId, "job");
  const browser = await signIn(app, scene.olivia.email);
  const { body } = await browser.get(`/admin/operations/${runId}/verdict`);
  expect(body).toMatchObject({
    operation_type: "inventory.sync",
    authority_mode: "actor_bound",
    allowed: false,
    retryable: false,
    reason_code: "missing_capability",
    denial_class: "capability_denied",
    initiator: { identity_type: "user", user_id: scene.omar.id },
    target_scope: { workspace_id: scene.workspace.id, tenant_id: scene.contoso.id },
  });
  expect(body.checks.capability).toEqual({
    result: "failed",
    at_request: "inventory.sync is held through Operator",
    now: "inventory.sync is not held",
  });
});

test("the page works for tenants that were archived and for tenants that are gone", async () => {
  const { db } = database;
  const scene = await createScene();
  const { workspace } = scene;
  const archived = await createTenant(db, { workspace, name: "Wingtip", lifecycle: "archived" });
  const gone = await createTenant(db, { workspace, name: "Gone Ltd" });
  const ending = { outcome: "succeeded" } as const;
  const first = await createRun(db, { workspace, tenant: archived, ending });
  const second = await createRun(db, { workspace, tenant: gone, ending });
  await db.query("delete from tenants where id = $1", [gone.id]);
  expect(await see(scene.omar, `/admin/operations/${first.id}`)).toContain("Wingtip");
  const page = await see(scene.omar, `/admin/operations/${second.id}`);
  expect(page).toContain("Gone Ltd");
  expect(page).not.toContain(`/admin/tenants/${gone.id}`);
});

test("a tenant that moved to another workspace keeps its new name and its hold to itself", async () => {
  const { db } = database;
  const { workspace, contoso, olivia } = await createScene();
  const run = await createRun(db, { workspace, tenant: contoso });
  const other = await createWorkspace(db, { name: "Elsewhere" });
  await placeHold(db, { tenant: contoso });
  await db.query("update tenants set workspace_id = $2 where id = $1", [contoso.id, other.id]);
  await db.query("update tenant_profiles set name = 'New Name Ltd' where tenant_id = $1", [contoso.id]);
  const page = await see(olivia, `/admin/operations/${run.id}`);
  expect(page).toContain("Contoso Retail");
  expect(page).not.toContain("New Name Ltd");
  expect(page).not.toContain("Tenant on hold");
  expect(page).not.toContain(`/admin/tenants/${contoso.id}`);
});

test.each([
  ["partially_succeeded", "See above what was left out, put it right, then start it again."],
  ["cancelled", "Start it again if it is still wanted."],
] as const)("a run that %s says what to do next", async (outcome, words) => {
  const { workspace, contoso, olivia } = await createScene();
  const run = await createRun(database.db, { workspace, tenant: contoso, ending: { outcome } });
  expect(await see(olivia, `/admin/operations/${run.id}`)).toContain(words);
});

test("a run without a tenant is for its initiator and for roles that cover all tenants", async () => {
  const { db } = database;
  const { workspace, contoso, olivia } = await createScene();
  const sam = await createMember(db, { workspace, role: "operator", tenant: contoso, name: "Sam" });
  const tom = await createMember(db, { workspace, role: "operator", tenant: contoso, name: "Tom" });
  const ending = { outcome: "succeeded" } as const;
  const run = await createRun(db, { workspace, tenant: null, initiator: sam, ending });
  const address = `/admin/operations/${run.id}`;
  expect(await see(sam, address)).toContain("No single tenant");
  expect(await see(olivia, address)).toContain("No single tenant");
  expect((await (await signIn(app, tom.email)).get(address)).status).toBe(404);
  await db.query("delete from memberships where user_id = $1", [sam.id]);
  expect((await (await signIn(app, sam.email)).get(address)).status).toBe(404);
});

test("an initiator whose roles show no operations gets the 403 even for their own run", async () => {
  const { db } = database;
  const { workspace, contoso } = await createScene();
  await createRole(db, { workspace, key: "sync-only", capabilities: ["inventory.sync"] });
  const hugo = await createMember(db, { workspace, role: "sync-only" });
  const run = await createRun(db, { workspace, tenant: contoso, initiator: hugo });
  expect((await (await signIn(app, hugo.email)).get(`/admin/operations/${run.id}`)).status).toBe(403);
});

test("names that people chose are text on the page, never markup", async () => {
  const { db } = database;
  const { workspace, olivia } = await createScene();
  const tenant = await createTenant(db, { workspace, name: "<script>alert(1)</script>" });
  const run = await createRun(db, { workspace, tenant, ending: { outcome: "failed", message: "<b>no</b>" } });
  for (const address of ["/admin/operations", `/admin/operations/${run.id}`]) {
    const page = await see(olivia, address);
    expect(page).not.toContain("<script>alert");
    expect(page).not.toContain("<b>no");
  }
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

/** Olivia takes the right to sync away from Omar. */
async function revoke({ workspace, olivia, omar }: Scene): Promise<void> {
  const { id: roleId } = await getRole(database.db, workspace, "readonly");
  await changeMemberRole(database.db, { workspaceId: workspace.id, userId: omar.id, actor: olivia, roleId });
}

/** A worker's first step with a run. */
async function deliver(runId: string, jobId: string): Promise<Begun | undefined> {
  const delivery = { operation: "inventory.sync", runId, jobId } as const;
  const [begun] = await database.db.transaction((tx) => beginAttempts(tx, [delivery]));
  return begun;
}

async function begin(runId: string, jobId = "job"): Promise<Run> {
  const answer = await deliver(runId, jobId);
  if (answer?.kind !== "authorized") throw new Error(`The run did not begin: ${answer?.kind}`);
  return answer.run;
}

async function record(run: Run, name: string, counts: Record<string, number>): Promise<void> {
  const items = Object.values(counts).reduce((sum, count) => sum + count, 0);
  await runEffect(database.db, run, { name, perAttempt: true }, async () => ({ items, counts }));
}

async function see(person: TestUser, address: string): Promise<string> {
  const page = await (await signIn(app, person.email)).get(address);
  expect(page.status).toBe(200);
  return page.text.replaceAll("&#39;", "'");
}

/** A row of the decision card. */
function checkOn(page: string, label: string): string {
  const row = page.split(`<th scope="row">${label}`)[1]?.split("</tr>")[0];
  if (row === undefined) throw new Error(`The page has no check ${label}.`);
  return row;
}
