import { beforeEach, expect, test } from "@jest/globals";
import { AuthorityDoubted } from "../../jobs/liveAttempts.ts";
import { openProvider } from "../../jobs/openProvider.ts";
import { settleFault } from "../../jobs/settleFault.ts";
import { replaceCredential } from "../../server/domain/connections/replaceCredential.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { checkpoint } from "../../server/domain/operations/runEffect.ts";
import { within } from "../helpers/callTime.ts";
import { useInstallation } from "../helpers/installation.ts";
import { grantedRoles, type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { credentialKeys } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";
import { beginAgain, beginRestore, creationOf, openWriting } from "../helpers/restores.ts";

/**
 * The gate says yes about the credential that is verified now. A worker that opened another one before must not
 * take that for a yes to its own.
 */

const installation = useInstallation();
const renewed = "renewed-secret";
let world: Northwind;
let run: Run;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await beginRestore(installation, world);
});

/** Replaced and verified again between two calls of a run, which nobody has told of it. */
async function replaceAndVerify(): Promise<void> {
  const { db, control } = installation;
  const { olivia, northwind, contoso, connection } = world;
  await replaceCredential(db, credentialKeys, {
    actor: olivia,
    workspaceId: northwind.id,
    tenantId: contoso.id,
    proof: { kind: "secret", secret: renewed },
    expiresAt: null,
  });
  await db.query(
    `update provider_connections set status = 'verified', verified_at = clock_timestamp(),
       verified_version = credential_version, granted_roles = $2 where id = $1`,
    [connection.id, grantedRoles],
  );
  await control.putDirectory({
    directoryId: contoso.directoryId,
    displayName: "Contoso Retail",
    apps: [{ clientId: "countersign-client", secret: renewed, secretState: "valid", roles: grantedRoles }],
    policies: 0,
  });
}

async function written(): Promise<unknown[]> {
  const kept = await installation.control.listPolicies(world.contoso.directoryId, "deviceConfigurations");
  return kept.map(({ payload }) => payload.displayName);
}

test("a run goes on under the credential that was verified, never under the one it replaced", async () => {
  const { db, worker } = installation;
  const writing = openWriting(installation, run);
  await writing.create("Edge policy");
  await replaceAndVerify();
  const refused = await writing.create("Firewall").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(AuthorityDoubted);
  expect(await written()).not.toContain("Firewall");
  await settleFault(worker, { run, credentialVersion: 1, stopping: false }, refused);
  expect(await getRun(db, run.id)).toMatchObject({ status: "queued", attempt: 0, effectsDone: 1 });
  const next = await beginAgain(installation, run.id);
  expect(await openWriting(installation, next).create("Firewall")).toMatchObject({ state: "done" });
  expect(await written()).toContain("Firewall");
});

test("control: with the gate's yes alone, what was opened before is what it is written with", async () => {
  const { db, worker } = installation;
  const { writer } = await openProvider(worker, world.connection.id);
  // Its token is fetched by the first call and kept for all that follow.
  await writer.write(creationOf(worker, "Edge policy").write, crypto.randomUUID(), within(5_000));
  await replaceAndVerify();
  expect(await db.transaction((tx) => checkpoint(tx, run))).toMatchObject({ kind: "allowed" });
  await writer.write(creationOf(worker, "Firewall").write, crypto.randomUUID(), within(5_000));
  expect(await written()).toContain("Firewall");
});
