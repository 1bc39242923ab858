import { beforeEach, describe, expect, test } from "@jest/globals";
import type { OperationName } from "../../server/domain/operations/catalog.ts";
import { getConnection, replaceSecret } from "../helpers/connections.ts";
import { listAudit, listEffects } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow } from "../helpers/interleaving.ts";
import { grantedRoles, type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listDecisions, listNotifications } from "../helpers/records.ts";

/** Credentials that are refused, or replaced, while a run uses them. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 6 });
});

describe("a sync whose credential is refused", () => {
  test("marks the connection invalid and is blocked for that, not tried again", async () => {
    const { db, worker } = installation;
    const run = await request("inventory.sync");
    await setSecret("another");
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "provider_connection_invalid",
      failureCode: null,
      attempt: 1,
      effectsDone: 0,
    });
    expect(await connection()).toMatchObject({ status: "invalid", cause: expect.stringMatching(/7000215/) });
    expect(await listDecisions(db, run)).toMatchObject([
      { phase: "begin", verdict: "allowed" },
      { phase: "checkpoint", verdict: "denied", reasonCode: "provider_connection_invalid" },
    ]);
    expect(await listAudit(db, world.connection.id)).toMatchObject([
      { action: "connection.rejected", outcome: "failed", actorId: null, details: { run } },
    ]);
    expect(await listNotifications(db, run)).toMatchObject([{ content: { outcome: "blocked" } }]);
    expect(await listJobsOf(db, run)).toEqual([]);
  });

  test("in the middle is blocked with what it had done", async () => {
    const { db, worker, control, sandbox } = installation;
    const { directoryId } = world.contoso;
    const path = "/deviceCompliancePolicies";
    await control.setFaults(directoryId, [{ kind: "hold", path, times: 1 }]);
    const held = sandbox.requests.next((asked) => asked.path.includes(path));
    const run = await request("inventory.sync");
    const draining = follow(drainQueue(worker));
    await held;
    await setSecret("another");
    // Its token is refused as well, so it asks for another one.
    await control.setFaults(directoryId, [{ kind: "unauthorized", path: "/configurationPolicies" }]);
    await draining.result;
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "provider_connection_invalid",
      effectsDone: 6,
      tally: { created: 3 },
    });
    expect(await connection()).toMatchObject({ status: "invalid" });
  });

  test("takes every waiting run of the connection along", async () => {
    const { db, worker } = installation;
    const runs = [await request("inventory.sync"), await request("inventory.sync")];
    await setSecret("another");
    await drainQueue(worker);
    for (const run of runs)
      expect(await getRun(db, run)).toMatchObject({ reasonCode: "provider_connection_invalid" });
    expect(await listAudit(db, world.connection.id)).toHaveLength(1);
  });

  test("goes on with the new credential when it was replaced meanwhile", async () => {
    const { db, worker, control, sandbox } = installation;
    const { directoryId } = world.contoso;
    await control.setFaults(directoryId, [{ kind: "hold", on: "token" }]);
    const held = sandbox.requests.next(({ kind }) => kind === "token");
    const run = await request("inventory.sync");
    const draining = follow(drainQueue(worker));
    await held;
    await setSecret("the-next-secret");
    await replaceSecret(db, world.connection.id, "the-next-secret");
    await db.query(
      `update provider_connections set status = 'verified', verified_at = now(),
         verified_version = credential_version where id = $1`,
      [world.connection.id],
    );
    await control.clearFaults(directoryId);
    await draining.result;
    // What was refused is the old one: that says nothing about the connection.
    expect(await connection()).toMatchObject({ status: "verified", cause: null });
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1 });
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 2 });
  });
});

describe("a credential that is replaced while the old one is being tried", () => {
  beforeEach(async () => {
    world = await seedNorthwind(installation, { policies: 0, connection: "unverified" });
  });

  test.each([
    ["the old one works", "a-valid-secret"],
    ["the old one is refused", "another"],
  ])(
    "is neither verified nor rejected by what was found out about the old one: %s",
    async (_name, secret) => {
      const { db, worker, control, sandbox } = installation;
      const { directoryId } = world.contoso;
      await setSecret(secret);
      await control.setFaults(directoryId, [{ kind: "hold", on: "token" }]);
      const held = sandbox.requests.next(({ kind }) => kind === "token");
      const id = await request("provider.connection.verify");
      const working = follow(drainQueue(worker));
      await held;
      await replaceSecret(db, world.connection.id, "the-next-secret");
      await control.clearFaults(directoryId);
      await working.result;
      expect(await connection()).toMatchObject({ status: "unverified", cause: null, verifiedVersion: null });
      const run = await getRun(db, id);
      expect(run).toMatchObject({ outcome: "failed", failureCode: "verification_failed" });
      expect(run.tally).not.toHaveProperty("verified");
      expect(await listAudit(db, world.connection.id)).toEqual([]);
      expect(await listEffects(db, id)).toHaveLength(1);
    },
  );

  test("control: a result that is written without its credential's version vouches for the new one", async () => {
    const { db } = installation;
    await replaceSecret(db, world.connection.id, "the-next-secret");
    await db.query(
      `update provider_connections set status = 'verified', verified_at = now(),
         verified_version = credential_version where id = $1`,
      [world.connection.id],
    );
    expect(await connection()).toMatchObject({ status: "verified", credentialVersion: 2 });
  });
});

function request(operation: OperationName): Promise<string> {
  return requestAs(installation.db, world.omar, operation, world.contoso);
}

function setSecret(secret: string): Promise<void> {
  return installation.control.setApp(world.contoso.directoryId, {
    clientId: "countersign-client",
    secret,
    secretState: "valid",
    roles: grantedRoles,
  });
}

const connection = () => getConnection(installation.db, world.connection.id);
