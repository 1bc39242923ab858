import { expect, test } from "@jest/globals";
import { Conflict, Forbidden, Invalid, NotFound } from "../../../server/domain/errors.ts";
import { changeMemberRole } from "../../../server/domain/people/changeMember.ts";
import { placeHold, releaseHold } from "../../../server/domain/tenants/hold.ts";
import { createMember, createTenant, createWorkspace, getRole } from "../../helpers/factories.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { openSession, untilSomebodyWaits } from "../../helpers/interleaving.ts";
import { requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, listJobs } from "../../helpers/queue.ts";
import { getRun } from "../../helpers/records.ts";

const installation = useInstallation();

async function seed() {
  const { db } = installation;
  const workspace = await createWorkspace(db);
  const mia = await createMember(db, { workspace, role: "manager", name: "Mia Lorenz" });
  const tenant = await createTenant(db, { workspace, name: "Contoso Retail" });
  return {
    db,
    workspace,
    mia,
    tenant,
    request: { actor: mia, workspaceId: workspace.id, tenantId: tenant.id },
  };
}

test("a held run waits, and when released it is authorized afresh", async () => {
  const { db, worker } = installation;
  const { northwind, olivia, omar, contoso } = await seedNorthwind(installation);
  const request = { actor: olivia, workspaceId: northwind.id, tenantId: contoso.id };
  await placeHold(db, { ...request, reason: "credential rotation" });
  const kept = await requestAs(db, olivia, "inventory.sync", contoso);
  const lost = await requestAs(db, omar, "inventory.sync", contoso);
  await drainQueue(worker);
  expect(await getRun(db, lost)).toMatchObject({ status: "queued", waitingReason: "hold", attempt: 0 });

  const readonly = await getRole(db, northwind, "readonly");
  await changeMemberRole(db, { ...request, userId: omar.id, roleId: readonly.id });
  expect(await releaseHold(db, request)).toEqual({ kind: "released", runs: 2 });
  expect(await getRun(db, lost)).toMatchObject({ status: "queued", waitingReason: null });
  await drainQueue(worker);

  expect(await getRun(db, kept)).toMatchObject({ outcome: "succeeded" });
  expect(await getRun(db, lost)).toMatchObject({
    outcome: "blocked",
    reasonCode: "missing_capability",
    startedAt: null,
  });
});

test("a release queues exactly the tenant's runs that waited for the hold", async () => {
  const { db, worker } = installation;
  const { northwind, olivia, contoso } = await seedNorthwind(installation);
  const other = await seedNorthwind(installation);
  const request = { actor: olivia, workspaceId: northwind.id, tenantId: contoso.id };
  await placeHold(db, { ...request, reason: "credential rotation" });
  await placeHold(db, {
    actor: other.olivia,
    workspaceId: other.northwind.id,
    tenantId: other.contoso.id,
    reason: "elsewhere",
  });
  const waiting = await requestAs(db, olivia, "inventory.sync", contoso);
  await requestAs(db, other.olivia, "inventory.sync", other.contoso);
  await drainQueue(worker);
  const retrying = await requestAs(db, olivia, "provider.connection.verify", contoso);
  // As if the jobs were lost, so that what is there afterwards was put there by the release.
  await db.query("delete from graphile_worker._private_jobs");

  expect(await releaseHold(db, request)).toEqual({ kind: "released", runs: 1 });
  expect((await listJobs(db)).map(({ key }) => key)).toEqual([`run:${waiting}`]);
  expect(await getRun(db, retrying)).toMatchObject({ status: "queued", waitingReason: null });
});

test("a hold says who, why and until when, and so does the trail", async () => {
  const { db, tenant, mia, request } = await seed();
  await placeHold(db, { ...request, reason: "  credential rotation ", forHours: 4 });
  const [hold] = await db.query<{ until: Date }>("select * from tenant_holds where tenant_id = $1", [
    tenant.id,
  ]);
  expect(hold).toMatchObject({
    reason: "credential rotation",
    placed_by: mia.id,
    placed_by_name: "Mia Lorenz",
  });
  expect(hold?.until.getTime()).toBeGreaterThan(Date.now() + 3 * 3_600_000);
  await releaseHold(db, request);
  expect(
    await db.query("select action, actor_id, details from audit_events where subject_id = $1 order by id", [
      tenant.id,
    ]),
  ).toMatchObject([
    {
      action: "tenant.held",
      actor_id: mia.id,
      details: { before: null, after: { reason: "credential rotation" } },
    },
    { action: "tenant.released", details: { before: { by: "Mia Lorenz" }, after: null, runs: 0 } },
  ]);
});

test("a tenant that is held cannot be held again, and the answer says by whom; a lapsed hold is replaced", async () => {
  const { db, workspace, tenant, request } = await seed();
  const olga = await createMember(db, { workspace, role: "owner" });
  await placeHold(db, { ...request, reason: "credential rotation" });
  await expect(placeHold(db, { ...request, actor: olga, reason: "audit" })).rejects.toThrow(
    new Conflict("Contoso Retail is on hold already, by Mia Lorenz: “credential rotation”."),
  );
  await db.query("update tenant_holds set until = now() - interval '1 minute' where tenant_id = $1", [
    tenant.id,
  ]);
  await placeHold(db, { ...request, actor: olga, reason: "audit" });
});

test("releasing what is not held is fine and says so", async () => {
  const { db, request } = await seed();
  expect(await releaseHold(db, request)).toEqual({ kind: "not_held" });
});

test.each(["", "   ", "x".repeat(501)])("a hold without a usable reason is refused (%#)", async (reason) => {
  const { db, request } = await seed();
  await expect(placeHold(db, { ...request, reason })).rejects.toThrow(Invalid);
});

test("an archived tenant cannot be held", async () => {
  const { db, workspace, request } = await seed();
  const wingtip = await createTenant(db, { workspace, lifecycle: "archived" });
  await expect(placeHold(db, { ...request, tenantId: wingtip.id, reason: "why" })).rejects.toThrow(Conflict);
});

test("holding and releasing need tenant.hold at the tenant", async () => {
  const { db, workspace, request } = await seed();
  const omar = await createMember(db, { workspace, role: "operator" });
  const nobody = await createMember(db, { workspace, role: null });
  const lacking = new Forbidden("tenant.hold");
  await expect(placeHold(db, { ...request, actor: omar, reason: "why" })).rejects.toThrow(lacking);
  await expect(releaseHold(db, { ...request, actor: omar })).rejects.toThrow(lacking);
  await expect(placeHold(db, { ...request, actor: nobody, reason: "why" })).rejects.toThrow(NotFound);
});

test("whoever loses their membership while they wait holds nothing", async () => {
  const { db, tenant, mia, request } = await seed();
  const revoker = await openSession(installation.url);
  await revoker.query("begin");
  await revoker.query("delete from memberships where user_id = $1", [mia.id]);
  const refusal = expect(placeHold(db, { ...request, reason: "too late" })).rejects.toThrow(NotFound);
  await untilSomebodyWaits(db);
  await revoker.query("commit");
  await revoker.end();
  await refusal;
  expect(await db.query("select 1 from tenant_holds where tenant_id = $1", [tenant.id])).toEqual([]);
});
