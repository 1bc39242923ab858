import { beforeEach, expect, test } from "@jest/globals";
import { Conflict, Forbidden } from "../../../server/domain/errors.ts";
import { placeHold, releaseHold } from "../../../server/domain/tenants/hold.ts";
import { letThrough } from "../../../server/domain/tenants/letThrough.ts";
import {
  createConnection,
  createMember,
  createTenant,
  placeHold as holdTenant,
  type TestTenant,
} from "../../helpers/factories.ts";
import { listAudit } from "../../helpers/history.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeJobsDue } from "../../helpers/queue.ts";
import { getRun } from "../../helpers/records.ts";

/** Holds of a whole workspace, and runs that are let through a hold that stays. */

const installation = useInstallation();
let world: Northwind;
let adatum: TestTenant;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  adatum = await createTenant(installation.db, { workspace: world.northwind, name: "Adatum Health" });
  await createConnection(installation.db, { tenant: adatum });
});

test("a held workspace keeps the runs of all its tenants waiting, and of no other workspace", async () => {
  const { db, worker } = installation;
  const other = await seedNorthwind(installation, { policies: 0 });
  await placeHold(db, { ...whole(), reason: "migration" });
  const runs = [await request(world.contoso), await request(adatum)];
  const free = await requestAs(db, other.omar, "inventory.sync", other.contoso);
  await drainQueue(worker);
  for (const run of runs)
    expect(await getRun(db, run)).toMatchObject({ status: "queued", waitingReason: "hold", attempt: 0 });
  expect(await getRun(db, free)).toMatchObject({ outcome: "succeeded" });
  const [, deferred] = await listAudit(db, runs[0] ?? "");
  expect(deferred?.details.message).toBe("workspace on hold by Olivia Brandt: “migration”");

  expect(await releaseHold(db, whole())).toEqual({ kind: "released", runs: 2 });
  for (const run of runs) expect(await listJobsOf(db, run)).toHaveLength(1);
  await drainQueue(worker);
  expect(await getRun(db, runs[0] ?? "")).toMatchObject({ outcome: "succeeded" });
});

test("releasing the workspace leaves those waiting that their tenant's own hold keeps", async () => {
  const { db, worker } = installation;
  await placeHold(db, { ...whole(), reason: "migration" });
  await holdTenant(db, { tenant: adatum });
  const [free, held] = [await request(world.contoso), await request(adatum)];
  await drainQueue(worker);
  expect(await releaseHold(db, whole())).toEqual({ kind: "released", runs: 1 });
  expect(await getRun(db, free)).toMatchObject({ waitingReason: null });
  expect(await getRun(db, held)).toMatchObject({ waitingReason: "hold" });
});

test("a hold of the workspace needs tenant.hold at all its tenants", async () => {
  const { db } = installation;
  const local = await createMember(db, { workspace: world.northwind, role: "manager", tenant: adatum });
  const actor = { ...whole(), actor: local };
  const lacking = new Forbidden("tenant.hold");
  await expect(placeHold(db, { ...actor, reason: "mine" })).rejects.toThrow(lacking);
  await placeHold(db, { ...whole(), reason: "migration" });
  await expect(releaseHold(db, actor)).rejects.toThrow(lacking);
  await expect(letThrough(db, { ...actor, runIds: [] })).rejects.toThrow(lacking);
});

test("placing and releasing are in the trail with how many runs they kept waiting", async () => {
  const { db, worker } = installation;
  await request(world.contoso);
  await placeHold(db, { ...whole(), reason: "migration", forHours: 4 });
  await request(adatum);
  await drainQueue(worker);
  await releaseHold(db, whole());
  expect(await listAudit(db, world.northwind.id)).toMatchObject([
    { action: "workspace.held", tenantId: null, details: { after: { reason: "migration" }, runs: 1 } },
    { action: "workspace.released", details: { before: { by: "Olivia Brandt" }, runs: 2 } },
  ]);
});

test("a workspace cannot be held twice, and a hold that lapsed holds nothing", async () => {
  const { db, worker } = installation;
  await placeHold(db, { ...whole(), reason: "migration" });
  await expect(placeHold(db, { ...whole(), reason: "again" })).rejects.toThrow(
    new Conflict("The workspace is on hold already, by Olivia Brandt: “migration”."),
  );
  await db.query("update workspace_holds set until = now() where workspace_id = $1", [world.northwind.id]);
  const run = await request(world.contoso);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
  await placeHold(db, { ...whole(), reason: "again" });
});

test("more than one transaction's worth of waiting runs are all woken", async () => {
  const { db, worker } = installation;
  await placeHold(db, { ...whole(), reason: "migration" });
  const run = await request(world.contoso);
  await drainQueue(worker);
  await db.query(
    `insert into operation_runs select copy.* from operation_runs r, generate_series(1, 1200) as n,
       jsonb_populate_record(r, jsonb_build_object('id', md5(n || r.id::text)::uuid)) as copy where r.id = $1`,
    [run],
  );
  expect(await releaseHold(db, whole())).toEqual({ kind: "released", runs: 1201 });
  expect(
    await db.query(
      `select 1 from operation_runs where waiting_reason = 'hold' and workspace_id = '${world.northwind.id}'`,
    ),
  ).toEqual([]);
  await db.query("delete from graphile_worker._private_jobs");
});

test("a chosen run begins although the hold stays, authorized afresh, and the others wait on", async () => {
  const { db, worker } = installation;
  await placeHold(db, { ...here(), reason: "rotation" });
  const [chosen, other] = [await request(world.contoso), await request(world.contoso)];
  await drainQueue(worker);
  expect(await letThrough(db, { ...here(), runIds: [chosen] })).toBe(1);
  await drainQueue(worker);
  expect(await getRun(db, chosen)).toMatchObject({ outcome: "succeeded" });
  expect(await getRun(db, other)).toMatchObject({ status: "queued", waitingReason: "hold" });
  expect(await listAudit(db, world.contoso.id)).toMatchObject([
    { action: "tenant.held" },
    { action: "tenant.runs_let_through", details: { runs: 1, ids: [chosen] } },
  ]);
  expect(await listAudit(db, chosen)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ action: "run.let_through", actorId: world.olivia.id }),
    ]),
  );
});

test("a chosen run whose initiator lost the right meanwhile is blocked when it begins", async () => {
  const { db, worker } = installation;
  await placeHold(db, { ...here(), reason: "rotation" });
  const run = await request(world.contoso);
  await drainQueue(worker);
  await letThrough(db, { ...here(), runIds: [run] });
  await db.query("delete from role_assignments where user_id = $1", [world.omar.id]);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", startedAt: null });
});

test("whoever may release one tenant lets nothing through a hold of the workspace", async () => {
  const { db, worker } = installation;
  await placeHold(db, { ...here(), reason: "rotation" });
  await placeHold(db, { ...whole(), reason: "migration" });
  const run = await request(world.contoso);
  await letThrough(db, { ...here(), runIds: [run] });
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ status: "queued", waitingReason: "hold" });
  await letThrough(db, { ...whole(), runIds: [run] });
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
});

test("a hold placed after it was let through holds a run again", async () => {
  const { db, worker } = installation;
  await placeHold(db, { ...here(), reason: "rotation" });
  const run = await request(world.contoso);
  await letThrough(db, { ...here(), runIds: [run] });
  await releaseHold(db, here());
  await placeHold(db, { ...here(), reason: "once more" });
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ status: "queued", waitingReason: "hold" });
});

test("a run of another tenant or workspace, one that ended, and one that is to be retried later are not woken", async () => {
  const { db, worker } = installation;
  const other = await seedNorthwind(installation, { policies: 0 });
  const ended = await request(world.contoso);
  await drainQueue(worker);
  const foreign = await requestAs(db, other.omar, "inventory.sync", other.contoso);
  const elsewhere = await request(adatum);
  const retrying = await request(world.contoso);
  const later = new Date(Date.now() + 3_600_000);
  await db.query("update operation_runs set next_attempt_at = $2 where id = $1", [retrying, later]);
  await db.query("delete from graphile_worker._private_jobs");
  await placeHold(db, { ...here(), reason: "rotation" });
  expect(await letThrough(db, { ...here(), runIds: [ended, foreign, elsewhere, retrying] })).toBe(1);
  for (const run of [ended, foreign, elsewhere, retrying]) expect(await listJobsOf(db, run)).toEqual([]);
});

test("there is nothing to let through once the hold has ended", async () => {
  const { db } = installation;
  const run = await request(world.contoso);
  await expect(letThrough(db, { ...here(), runIds: [run] })).rejects.toThrow(Conflict);
  await makeJobsDue(db);
});

function whole() {
  return { actor: world.olivia, workspaceId: world.northwind.id, tenantId: null };
}

function here() {
  return { actor: world.olivia, workspaceId: world.northwind.id, tenantId: world.contoso.id };
}

function request(tenant: TestTenant): Promise<string> {
  return requestAs(installation.db, world.omar, "inventory.sync", tenant);
}
