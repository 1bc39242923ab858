import { beforeEach, expect, test } from "@jest/globals";
import { settleFault } from "../../jobs/settleFault.ts";
import { ProviderError } from "../../server/provider/port.ts";
import { beginSync } from "../helpers/begun.ts";
import { getConnection } from "../helpers/connections.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun, listNotifications } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

const attempt = { credentialVersion: 1, stopping: false };

test("a run that lost its authority before a fault on its last attempt is blocked, not failed", async () => {
  const { db, worker } = installation;
  const run = await beginSync(installation, world);
  await db.query("delete from memberships where user_id = $1", [world.omar.id]);
  const last = { ...run, maxAttempts: run.attempt };
  await settleFault(worker, { ...attempt, run: last }, new ProviderError("unavailable", "no answer"));
  expect(await getRun(db, run.id)).toMatchObject({
    outcome: "blocked",
    reasonCode: "initiator_not_entitled",
    failureCode: null,
  });
  expect(await listNotifications(db, run.id)).toHaveLength(1);
});

test("a run that lost its authority, or its attempt, says nothing about the connection any more", async () => {
  const { db, worker } = installation;
  const rejected = new ProviderError("credential_rejected", "The secret was refused");
  const replaced = await beginSync(installation, world, "one job");
  await worker.begin({ operation: "inventory.sync", runId: replaced.id, jobId: "one job" });
  await settleFault(worker, { ...attempt, run: replaced }, rejected);
  expect(await getConnection(db, world.connection.id)).toMatchObject({ status: "verified" });

  const revoked = await beginSync(installation, world, "another job");
  await db.query("delete from memberships where user_id = $1", [world.omar.id]);
  await settleFault(worker, { ...attempt, run: revoked }, rejected);
  expect(await getConnection(db, world.connection.id)).toMatchObject({ status: "verified" });
  expect(await getRun(db, revoked.id)).toMatchObject({ reasonCode: "initiator_not_entitled" });
});
