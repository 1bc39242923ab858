import { beforeEach, describe, expect, test } from "@jest/globals";
import { replaceCredential } from "../../server/domain/connections/replaceCredential.ts";
import type { ProviderSecret } from "../../server/provider/port.ts";
import { makeCertificate } from "../helpers/certificates.ts";
import { getConnection } from "../helpers/connections.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow } from "../helpers/interleaving.ts";
import { grantedRoles, type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { credentialKeys, drainQueue } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";

/** A credential that an admin replaces while runs wait and run. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 6 });
});

function replace(proof: ProviderSecret) {
  return replaceCredential(installation.db, credentialKeys, {
    actor: world.olivia,
    workspaceId: world.northwind.id,
    tenantId: world.contoso.id,
    proof,
    expiresAt: null,
  });
}

const next = { kind: "secret", secret: "the-next~secret" } as const;

test("a run in progress ends blocked at its next effect, though the old credential still works", async () => {
  const { db, worker, control, sandbox } = installation;
  const { directoryId } = world.contoso;
  const path = "/deviceCompliancePolicies";
  await control.setFaults(directoryId, [{ kind: "hold", path, times: 2 }]);
  const held = sandbox.requests.next((asked) => asked.path.includes(path));
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const draining = follow(drainQueue(worker));
  await held;
  // Asked for only now: it must not be the one that is held.
  const waiting = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const before = (await getRun(db, run)).effectsDone;
  expect(await replace(next)).toMatchObject({ stops: { queued: expect.any(Number) } });
  await control.clearFaults(directoryId);
  await draining.result;
  expect(await getRun(db, run)).toMatchObject({
    outcome: "blocked",
    reasonCode: "provider_connection_invalid",
    effectsDone: before,
  });
  expect(await getRun(db, waiting)).toMatchObject({ reasonCode: "provider_connection_invalid" });
  // What the run was told by the old credential says nothing about the new one.
  expect(await getConnection(db, world.connection.id)).toMatchObject({ status: "unverified", cause: null });
});

describe("the new credential, verified, opens the way again", () => {
  const certificate = makeCertificate();

  test.each<[string, ProviderSecret]>([
    ["a secret", next],
    ["a certificate", { kind: "certificate", ...certificate }],
  ])("%s", async (_name, proof) => {
    const { db, worker, control } = installation;
    await control.setApp(world.contoso.directoryId, {
      clientId: "countersign-client",
      secret: next.secret,
      secretState: "valid",
      roles: grantedRoles,
      certificates: [certificate.certificate],
    });
    await replace(proof);
    const verification = await requestAs(db, world.omar, "provider.connection.verify", world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, verification)).toMatchObject({ outcome: "succeeded" });
    expect(await getConnection(db, world.connection.id)).toMatchObject({
      status: "verified",
      credentialVersion: 2,
      verifiedVersion: 2,
      grantedRoles,
    });
    const sync = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, sync)).toMatchObject({ outcome: "succeeded" });
  });
});
