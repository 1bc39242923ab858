import { beforeEach, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import type { ReasonCode } from "../../../server/domain/authority/reasons.ts";
import { requestRun } from "../../../server/domain/operations/requestRun.ts";
import { addMember, createMember, createTenant, createUser } from "../../helpers/factories.ts";
import { listAudit, listEffects } from "../../helpers/history.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, listJobs, listJobsOf } from "../../helpers/queue.ts";
import { count, getRun, listDecisions, listNotifications } from "../../helpers/records.ts";
import { aRequest } from "../../helpers/requests.ts";

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
  await installation.db.query("delete from graphile_worker._private_jobs");
});

describe("refused at request: no run, audited", () => {
  const refusals: Record<string, [code: ReasonCode, prepare: () => Promise<Parameters<typeof aRequest>[1]>]> =
    {
      "a tenant of another workspace": [
        "workspace_mismatch",
        async () => ({ tenantId: (await seedNorthwind(installation)).contoso.id }),
      ],
      "a workspace that is suspended": [
        "workspace_mismatch",
        () => alter("update workspaces set status = 'suspended' where id = $1", world.northwind.id),
      ],
      "an account that was deleted": [
        "initiator_missing",
        () => alter("delete from users where id = $1", world.omar.id),
      ],
      "somebody who is no member": [
        "initiator_not_entitled",
        async () => ({ initiator: await createUser(installation.db) }),
      ],
      "somebody whose account is disabled": [
        "initiator_not_entitled",
        () => alter("update users set status = 'disabled' where id = $1", world.omar.id),
      ],
      "a tenant that does not exist": ["tenant_missing", async () => ({ tenantId: uuidv7() })],
      "a member whose role covers another tenant": [
        "tenant_not_entitled",
        async () => {
          const { db } = installation;
          const adatum = await createTenant(db, { workspace: world.northwind });
          const user = { workspace: world.northwind, role: "operator", tenant: adatum };
          return { initiator: await createMember(db, user) };
        },
      ],
      "a member whose role has lapsed": [
        "tenant_not_entitled",
        () => alter("update role_assignments set expires_at = now() where user_id = $1", world.omar.id),
      ],
      "a role that lacks the capability": [
        "missing_capability",
        async () => ({
          initiator: await createMember(installation.db, { workspace: world.northwind, role: "readonly" }),
        }),
      ],
    };

  test.each(Object.entries(refusals))("%s", async (_name, [reasonCode, prepare]) => {
    const { db } = installation;
    const request = aRequest(world, await prepare());
    const runs = await count(db, "operation_runs");
    const answer = await requestRun(db, request);
    expect(answer).toMatchObject({ kind: "refused", reasonCode, capability: "inventory.sync" });
    expect(await count(db, "operation_runs")).toBe(runs);
    expect(await listJobs(db)).toEqual([]);
    const audit = await listAudit(db, request.tenantId ?? "");
    expect(audit).toMatchObject([
      {
        action: "run.refused",
        outcome: "denied",
        workspaceId: request.workspaceId,
        actorId: request.initiator?.id,
        details: { operation: "inventory.sync", reasonCode },
      },
    ]);
  });

  test("a right held at another tenant does not count, and one at this tenant does", async () => {
    const { db } = installation;
    const adatum = await createTenant(db, { workspace: world.northwind });
    const sam = await createMember(db, { workspace: world.northwind, role: "readonly" });
    await addMember(db, { workspace: world.northwind, user: sam, role: "operator", tenant: adatum });
    expect(await requestRun(db, aRequest(world, { initiator: sam }))).toMatchObject({
      reasonCode: "missing_capability",
    });
    await addMember(db, { workspace: world.northwind, user: sam, role: "operator", tenant: world.contoso });
    expect(await requestRun(db, aRequest(world, { initiator: sam }))).toMatchObject({ blocked: false });
  });
});

describe("stored already blocked: what only the world's state forbids", () => {
  const blocked: Record<string, [code: ReasonCode, sql: string, id: () => string]> = {
    "a tenant that is suspended": [
      "tenant_not_operable",
      "update tenants set lifecycle = 'suspended' where id = $1",
      () => world.contoso.id,
    ],
    "a connection that is not verified": [
      "provider_connection_invalid",
      "update provider_connections set status = 'unverified' where id = $1",
      () => world.connection.id,
    ],
    "a tenant without a connection": [
      "provider_connection_invalid",
      "delete from provider_connections where id = $1",
      () => world.connection.id,
    ],
  };

  test.each(Object.entries(blocked))("%s", async (_name, [reasonCode, sql, id]) => {
    const { db, worker, control } = installation;
    await db.query(sql, [id()]);
    const answer = await requestRun(db, aRequest(world));
    if (answer.kind !== "stored") throw new Error("It was refused outright.");
    const run = answer.runId;
    expect(answer.blocked).toBe(true);
    expect(await getRun(db, run)).toMatchObject({
      status: "completed",
      outcome: "blocked",
      reasonCode,
      attempt: 0,
      startedAt: null,
    });
    expect(await listDecisions(db, run)).toMatchObject([{ phase: "request", attempt: 0, reasonCode }]);
    expect((await listAudit(db, run)).map(({ action, outcome }) => [action, outcome])).toEqual([
      ["run.requested", "denied"],
      ["run.blocked", "denied"],
    ]);
    expect(await listNotifications(db, run)).toMatchObject([
      { userId: world.omar.id, content: { outcome: "blocked", reasonCode, changed: false } },
    ]);
    expect(await listJobsOf(db, run)).toEqual([]);
    await drainQueue(worker);
    expect(await control.requests(world.contoso.directoryId)).toEqual([]);
    expect(await listEffects(db, run)).toEqual([]);
  });

  test("a hold does not refuse a request: the run is stored and waits", async () => {
    const { db } = installation;
    await db.query(
      "insert into tenant_holds (tenant_id, reason, placed_by_name) values ($1, 'rotation', 'Olivia')",
      [world.contoso.id],
    );
    expect(await requestRun(db, aRequest(world))).toMatchObject({ kind: "stored", blocked: false });
  });
});

async function alter(sql: string, id: string): Promise<object> {
  await installation.db.query(sql, [id]);
  return {};
}
