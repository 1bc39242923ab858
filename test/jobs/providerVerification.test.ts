import { beforeEach, describe, expect, test } from "@jest/globals";
import type { FaultInput } from "../../server/demo/sandbox/faults.ts";
import { getConnection } from "../helpers/connections.ts";
import { listAudit } from "../helpers/history.ts";
import { startImpostor } from "../helpers/impostor.ts";
import { useInstallation } from "../helpers/installation.ts";
import { until } from "../helpers/interleaving.ts";
import { grantedRoles, type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeJobsDue, makeTestWorker } from "../helpers/queue.ts";
import { getRun, listNotifications } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
const readRole = "DeviceManagementConfiguration.Read.All";
const app = {
  clientId: "countersign-client",
  secret: "a-valid-secret",
  secretState: "valid" as const,
  roles: grantedRoles,
};

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0, connection: "unverified" });
});

describe("a connection that works", () => {
  test.each(["unverified", "invalid"] as const)("is verified when it was %s", async (was) => {
    world = await seedNorthwind(installation, { policies: 0, connection: was });
    const run = await verify();
    expect(run).toMatchObject({ outcome: "succeeded", tally: { verified: 1 } });
    expect(await connection()).toMatchObject({
      status: "verified",
      cause: null,
      verifiedVersion: 1,
      credentialVersion: 1,
      grantedRoles: app.roles,
    });
    const [age] = await installation.db.query<{ recent: boolean }>(
      `select verified_at between $2 and clock_timestamp() as recent from provider_connections where id = $1`,
      [world.connection.id, run.startedAt],
    );
    expect(age).toEqual({ recent: true });
    const audit = await listAudit(installation.db, world.connection.id);
    expect(audit).toMatchObject([{ action: "connection.verified", details: { run: run.id } }]);
  });

  test("can be proved while its tenant is still onboarding, which opens the way to using it", async () => {
    await installation.db.query("update tenants set lifecycle = 'onboarding' where id = $1", [
      world.contoso.id,
    ]);
    expect(await verify()).toMatchObject({ outcome: "succeeded" });
    expect(await connection()).toMatchObject({ status: "verified" });
  });

  test("lets a sync through that was blocked for want of it", async () => {
    const { db, worker } = installation;
    const early = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    expect(await getRun(db, early)).toMatchObject({ reasonCode: "provider_connection_invalid" });
    await verify();
    const late = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, late)).toMatchObject({ outcome: "succeeded" });
  });

  test("without the roles to read policies is verified, and the run says which are missing", async () => {
    await setApp({ roles: ["Organization.Read.All"] });
    const run = await verify();
    expect(run).toMatchObject({ outcome: "partially_succeeded", failureCode: null });
    expect(run.failureMessage).toContain(readRole);
    expect(run.failureMessage).toContain("DeviceManagementScripts.Read.All (PowerShell scripts)");
    expect(await connection()).toMatchObject({ status: "verified", grantedRoles: ["Organization.Read.All"] });
  });

  test("has what it needs to read when it may even write", async () => {
    const reading = ["DeviceManagementConfiguration.Read.All", "DeviceManagementScripts.Read.All"];
    await setApp({ roles: grantedRoles.filter((role) => !reading.includes(role)) });
    expect(await verify()).toMatchObject({ outcome: "succeeded" });
  });

  test("is verified by two runs at once", async () => {
    const { db, worker, control, sandbox } = installation;
    const { directoryId } = world.contoso;
    await control.setFaults(directoryId, [{ kind: "hold", path: "/organization" }]);
    const runs = [
      await requestAs(db, world.omar, "provider.connection.verify", world.contoso),
      await requestAs(db, world.olivia, "provider.connection.verify", world.contoso),
    ];
    const working = [drainQueue(worker), drainQueue(makeTestWorker(db, sandbox.url))];
    await until(async () => {
      const asked = await control.requests(directoryId);
      return asked.filter(({ path }) => path.endsWith("/organization")).length === 2;
    });
    await control.clearFaults(directoryId);
    await Promise.all(working);
    for (const id of runs) expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", attempt: 1 });
    expect(await connection()).toMatchObject({ status: "verified" });
  });
});

describe("a connection that is refused", () => {
  const refusals: Record<string, { prepare: () => Promise<unknown>; cause: RegExp }> = {
    "a wrong secret": { prepare: () => setApp({ secret: "another" }), cause: /AADSTS7000215/ },
    "an expired secret": { prepare: () => setApp({ secretState: "expired" }), cause: /AADSTS7000222/ },
    "an application that is not there": {
      prepare: () => setFault({ kind: "aadsts", code: 700016 }),
      cause: /700016/,
    },
    "conditional access": {
      prepare: () => setFault({ kind: "aadsts", code: 53003 }),
      cause: /conditional access/,
    },
    "the token of another directory": {
      prepare: () => setFault({ kind: "foreign_tid", tid: "72f988bf-86f1-41af-91ab-2d7cd011db47" }),
      cause: /another directory/,
    },
    "an organization it may not read": { prepare: () => setApp({ roles: [readRole] }), cause: /privileges/ },
    "a second administrator's approval": {
      prepare: () => setFault({ kind: "approval_required" }),
      cause: /second administrator/,
    },
  };

  test.each(Object.entries(refusals))(
    "%s: marked invalid with the cause, and not tried again",
    async (_name, refusal) => {
      await refusal.prepare();
      const run = await verify();
      expect(run).toMatchObject({
        outcome: "failed",
        failureCode: "verification_failed",
        attempt: 1,
        tally: { refuted: 1 },
      });
      expect(run.failureMessage).toMatch(refusal.cause);
      expect(await connection()).toMatchObject({
        status: "invalid",
        cause: run.failureMessage,
        verifiedAt: null,
      });
      expect(await listJobsOf(installation.db, run.id)).toEqual([]);
      const audit = await listAudit(installation.db, world.connection.id);
      expect(audit).toMatchObject([{ action: "connection.rejected", outcome: "failed" }]);
      expect(await listNotifications(installation.db, run.id)).toMatchObject([
        { content: { outcome: "failed" } },
      ]);
    },
  );

  test("a Graph that answers for another organization is not this tenant's", async () => {
    const { db, sandbox } = installation;
    const impostor = await startImpostor();
    try {
      const id = await requestAs(db, world.omar, "provider.connection.verify", world.contoso);
      await drainQueue(makeTestWorker(db, sandbox.url, { graphUrl: impostor.url }));
      expect(await getRun(db, id)).toMatchObject({ outcome: "failed", failureCode: "verification_failed" });
      expect((await connection()).cause).toMatch(/organization/);
    } finally {
      await impostor.close();
    }
  });
});

test("a provider that is down says nothing about the connection: tried again, and failed in the end", async () => {
  const { db, worker } = installation;
  await setFault({ kind: "status", status: 503 });
  const id = await requestAs(db, world.omar, "provider.connection.verify", world.contoso);
  for (const attempt of [1, 2, 3, 4]) {
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ status: "queued", attempt });
  }
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, id)).toMatchObject({
    outcome: "failed",
    failureCode: "provider_unavailable",
    attempt: 5,
    effectsDone: 0,
  });
  expect(await connection()).toMatchObject({ status: "unverified", cause: null });
  expect(await listJobsOf(db, id)).toEqual([]);
});

async function verify() {
  const { db, worker } = installation;
  const id = await requestAs(db, world.omar, "provider.connection.verify", world.contoso);
  await drainQueue(worker);
  return getRun(db, id);
}

const connection = () => getConnection(installation.db, world.connection.id);
const setApp = (changed: Partial<typeof app> | { secretState: "expired" }) =>
  installation.control.setApp(world.contoso.directoryId, { ...app, ...changed });
const setFault = (fault: FaultInput) => installation.control.setFaults(world.contoso.directoryId, [fault]);
