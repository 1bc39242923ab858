import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { createSchedule } from "../../server/domain/schedules/createSchedule.ts";
import { type Browser, makeApp, signIn, tokenIn } from "../helpers/app.ts";
import { addTenant, putDirectory } from "../helpers/backups.ts";
import {
  confirmAssignment,
  confirmDeletion,
  groups,
  putPolicy,
  requestSyncOf,
  sync,
  type,
} from "../helpers/bulk.ts";
import { createMember, createRole, type TestTenant } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";
import { createSet } from "../helpers/sets.ts";

const installation = useInstallation();
let world: Northwind;
let app: ReturnType<typeof makeApp>;
let olivia: Browser;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  app = makeApp(installation.db);
  olivia = await signIn(app, world.olivia.email);
});

const rerunOf = (run: string) => `/admin/operations/${run}/rerun`;
const confirmed = { tenant_name: "Contoso Retail", reason: "once more" };

async function send(page: Response, action: string, fields: Record<string, string> = {}) {
  const hidden = [...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
  const sent = new URLSearchParams();
  for (const [, name = "", value = ""] of hidden) sent.append(name, value);
  sent.set("_csrf", tokenIn(page));
  for (const [name, value] of Object.entries(fields)) sent.set(name, value);
  return olivia.post(action).type("form").send(sent.toString());
}

/** What a run that an answer leads to was asked to do. */
async function asked(answer: Response) {
  const id = /operations\/([0-9a-f-]{36})$/.exec(answer.headers.location ?? "")?.[1] ?? "";
  const [run] = await installation.db.query<{ target: Record<string, unknown>; rerunOf: string | null }>(
    `select target, rerun_of as "rerunOf" from operation_runs where id = $1`,
    [id],
  );
  return { id, ...run };
}

describe("a sync of many tenants", () => {
  let fabrikam: TestTenant;
  beforeEach(async () => {
    fabrikam = await addTenant(installation, world, "Fabrikam");
    await putDirectory(installation, fabrikam, {});
  });

  test("is asked for again for those it did not sync, as they are now, and linked with it", async () => {
    const { db, worker } = installation;
    const adatum = await addTenant(installation, world, "Adatum");
    const run = await requestSyncOf(installation, world, world.omar, [world.contoso, fabrikam, adatum]);
    const off = "update tenants set lifecycle = 'suspended' where id = any ($1)";
    await db.query(off, [[fabrikam.id, adatum.id]]);
    await drainQueue(worker);
    await db.query("update tenants set lifecycle = 'active' where id = $1", [fabrikam.id]);
    expect((await olivia.get(`/admin/operations/${run}`)).text).toContain("Take over …");
    const page = await olivia.get(rerunOf(run)).redirects(1);
    expect(page.text).toContain("Sync 1 tenant?");
    expect(page.text).toContain("was to sync 3 tenants and synced 1: these are the others");
    expect(page.text).toContain("1 tenant is left out: not active.");
    const again = await asked(await send(page, "/admin/bulk/sync"));
    expect(again).toMatchObject({ rerunOf: run, target: { tenantIds: [fabrikam.id] } });
    await drainQueue(worker);
    expect(await getRun(db, again.id)).toMatchObject({ outcome: "succeeded", tally: { synced: 1 } });
    expect((await olivia.get(`/admin/operations/${again.id}`)).text).toContain("Asks again for");
  });

  test("that did all is asked for again for all", async () => {
    const run = await requestSyncOf(installation, world, world.olivia, [world.contoso, fabrikam]);
    await drainQueue(installation.worker);
    const page = await olivia.get(rerunOf(run)).redirects(1);
    expect(page.text).toContain("Sync 2 tenants?");
    expect(page.text).toContain("and synced all: these are all of them again");
  });

  test("reads the kinds of policy that it read the first time", async () => {
    const { db, worker } = installation;
    const first = await requestRun(db, {
      operation: "tenants.bulk_sync",
      workspaceId: world.northwind.id,
      tenantId: null,
      initiator: null,
      trigger: "schedule",
      requestKey: null,
      expiresInHours: 24,
      target: { tenantIds: [world.contoso.id, fabrikam.id], types: [type] },
      scheduleId: await createSchedule(db, {
        actor: world.olivia,
        workspaceId: world.northwind.id,
        wanted: {
          operation: "tenants.bulk_sync",
          tenantId: null,
          types: [type],
          cron: "0 3 * * *",
          timeZone: "UTC",
        },
      }),
    });
    await drainQueue(worker);
    const run = first.kind === "stored" ? first.runId : "";
    const page = await olivia.get(rerunOf(run)).redirects(1);
    expect(await asked(await send(page, "/admin/bulk/sync"))).toMatchObject({
      rerunOf: run,
      target: { types: [type] },
    });
  });

  test("takes operations.rerun, also where the form of somebody who had it is sent", async () => {
    const { db, worker } = installation;
    const run = await requestSyncOf(installation, world, world.olivia, [world.contoso, fabrikam]);
    await drainQueue(worker);
    const page = await olivia.get(rerunOf(run)).redirects(1);
    const lost =
      "update roles set capabilities = array_remove(capabilities, 'operations.rerun') where workspace_id = $1";
    await db.query(lost, [world.northwind.id]);
    const refused = await send(page, "/admin/bulk/sync");
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("<code>operations.rerun</code>");
    expect((await olivia.get(`/admin/operations/${run}`)).text).not.toContain("/rerun");
  });

  test("is not there to be asked for again by who may not see it, nor while it goes on", async () => {
    const { db, worker } = installation;
    const run = await requestSyncOf(installation, world, world.olivia, [world.contoso, fabrikam]);
    expect((await olivia.get(rerunOf(run))).status).toBe(409);
    await drainQueue(worker);
    const local = await createMember(db, { workspace: world.northwind, role: "manager", tenant: fabrikam });
    const theirs = await signIn(app, local.email);
    expect((await theirs.get(rerunOf(run))).status).toBe(404);
    expect((await theirs.get(`/admin/bulk/sync?again=${run}`)).status).toBe(404);
  });
});

describe("policies", () => {
  beforeEach(async () => {
    await putDirectory(installation, world.contoso, { groups });
    for (const id of ["a", "b", "c"]) await putPolicy(installation, world, id);
    await sync(installation, world);
  });

  test("that were not deleted are chosen anew and confirmed by name", async () => {
    const { db, control, worker } = installation;
    const run = await confirmDeletion(installation, world);
    const refusal = { kind: "status", method: "DELETE", path: `${type}/b`, status: 400 } as const;
    await control.setFaults(world.contoso.directoryId, [refusal]);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "partially_succeeded" });
    await control.clearFaults(world.contoso.directoryId);
    const page = await olivia.get(rerunOf(run));
    expect(page.text).toContain("2 policies are done with, or gone from the tenant, and left out.");
    const chosen = await send(page, rerunOf(run));
    const address = chosen.headers.location ?? "";
    const confirm = await olivia.get(address);
    expect(confirm.text).toContain("Delete 1 policy at Contoso Retail?");
    expect(confirm.text).toContain(`href="/admin/operations/${run}">an earlier run</a>`);
    expect((await send(confirm, `${address}/execution`, { reason: "x" })).status).toBe(422);
    const again = await asked(await send(confirm, `${address}/execution`, confirmed));
    expect(again).toMatchObject({ rerunOf: run });
    await drainQueue(worker);
    expect(await getRun(db, again.id)).toMatchObject({ outcome: "succeeded", tally: { deleted: 1 } });
    expect((await olivia.get(`/admin/operations/${again.id}`)).text).not.toContain(`${again.id}/rerun`);
  });

  test("that were to be assigned come with the groups that were named then", async () => {
    const { db, worker } = installation;
    const run = await confirmAssignment(installation, world, { include: ["Pilots"], exclude: ["All staff"] });
    await putPolicy(installation, world, "a", { description: "changed meanwhile" });
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "blocked" });
    await sync(installation, world);
    const chosen = await send(await olivia.get(rerunOf(run)), rerunOf(run));
    const { text } = await olivia.get(chosen.headers.location ?? "");
    expect(text).toContain("Assign 3 policies at Contoso Retail?");
    expect(text).toMatch(/name="include"[^>]*>Pilots</);
    expect(text).toMatch(/name="exclude"[^>]*>All staff</);
  });

  test("of which none is there any more are said to be all done", async () => {
    const { db, worker } = installation;
    const run = await confirmDeletion(installation, world);
    await db.query("update role_assignments set expires_at = now() where user_id = $1", [world.olivia.id]);
    await drainQueue(worker);
    await db.query("update role_assignments set expires_at = null where user_id = $1", [world.olivia.id]);
    await db.query("update inventory_items set gone_since = now(), gone_run_id = $1", [run]);
    const page = await olivia.get(rerunOf(run));
    expect(page.text).toContain("Nothing is left to do");
    expect((await send(page, rerunOf(run))).status).toBe(409);
  });
});

test("backups that are there still are confirmed by name, linked with the run that left them", async () => {
  const { db, worker } = installation;
  const sets = [
    await createSet(db, { tenant: world.contoso }),
    await createSet(db, { tenant: world.contoso }),
  ];
  const chosen = sets.map(({ id }) => `set=${id}`).join("&");
  const first = await asked(
    await send(await olivia.get(`/admin/bulk/backups?${chosen}`), "/admin/bulk/backups", confirmed),
  );
  await createRole(db, { workspace: world.northwind, key: "empty", capabilities: ["operations.view"] });
  const swap = `update role_assignments a set role_id = r.id from roles r
    where a.user_id = $1 and r.workspace_id = $2 and r.key = $3`;
  await db.query(swap, [world.olivia.id, world.northwind.id, "empty"]);
  await drainQueue(worker);
  await db.query(swap, [world.olivia.id, world.northwind.id, "owner"]);
  expect(await getRun(db, first.id)).toMatchObject({ outcome: "blocked", reasonCode: "missing_capability" });
  await db.query("delete from backup_sets where id = $1", [sets[0]?.id]);
  const page = await olivia.get(rerunOf(first.id)).redirects(1);
  expect(page.text).toContain("was to delete 2 backups; 1 of them are there still.");
  const again = await asked(await send(page, "/admin/bulk/backups", confirmed));
  expect(again).toMatchObject({ rerunOf: first.id, target: { setIds: [sets[1]?.id] } });
});
