import { beforeEach, expect, test } from "@jest/globals";
import { listenForAuthority } from "../../jobs/authorityListener.ts";
import { AuthorityDoubted, type LiveAttempt } from "../../jobs/liveAttempts.ts";
import { beginSync } from "../helpers/begun.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, until } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";

/** What runs is stopped at once when its authority goes, not only at its next effect. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 6 });
});

function listen(look: () => Promise<void>) {
  const { url, worker } = installation;
  return listenForAuthority({ url, log: worker.log }, look);
}

const disable = (id: string) =>
  installation.db.query("update users set status = 'disabled' where id = $1", [id]);
const enable = (id: string) =>
  installation.db.query("update users set status = 'active' where id = $1", [id]);

async function openAttempt(): Promise<LiveAttempt> {
  return installation.worker.attempts.open(await beginSync(installation, world), undefined);
}

test("a change of authority by hand aborts what would be denied, and nothing else", async () => {
  const { db, worker } = installation;
  const attempt = await openAttempt();
  let looked = 0;
  const listener = listen(async () => {
    await worker.attempts.recheck(db);
    looked += 1;
  });
  await until(async () => looked > 0);
  const before = looked;
  await enable(world.omar.id);
  await until(async () => looked > before);
  expect(attempt.signal.aborted).toBe(false);
  await disable(world.omar.id);
  await until(async () => attempt.signal.aborted);
  expect(attempt.signal.reason).toBeInstanceOf(AuthorityDoubted);
  attempt.end();
  await listener.stop();
});

test("a listener whose connection was lost listens anew, and looks at what it may have missed", async () => {
  const { db, worker } = installation;
  const attempt = await openAttempt();
  let looked = 0;
  const listener = listen(async () => {
    await worker.attempts.recheck(db);
    looked += 1;
  });
  await until(async () => looked > 0);
  await db.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'countersign listener' and datname = current_database()`,
  );
  await disable(world.omar.id);
  await until(async () => attempt.signal.aborted);
  attempt.end();
  await listener.stop();
});

test("many changes in one transaction are one notice", async () => {
  const { db } = installation;
  let looked = 0;
  const listener = listen(async () => {
    looked += 1;
  });
  await until(async () => looked === 1);
  await db.transaction(async (tx) => {
    for (const { id } of [world.omar, world.olivia])
      await tx.query("update users set status = 'disabled' where id = $1", [id]);
    await tx.query("update tenants set lifecycle = 'suspended' where id = $1", [world.contoso.id]);
  });
  await until(async () => looked === 2);
  await listener.stop();
  expect(looked).toBe(2);
});

test("a read that hangs ends when authority goes, and the run ends blocked", async () => {
  const { db, worker, control, sandbox } = installation;
  const { directoryId } = world.contoso;
  await control.setFaults(directoryId, [{ kind: "hold", path: "/deviceCompliancePolicies" }]);
  const held = sandbox.requests.next(({ path }) => path.includes("/deviceCompliancePolicies"));
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const draining = follow(drainQueue(worker));
  await held;
  await disable(world.omar.id);
  await worker.attempts.recheck(db);
  await draining.result;
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "initiator_not_entitled" });
  await control.clearFaults(directoryId);
});

test("a run whose right was given back before the gate was asked goes on in another attempt", async () => {
  const { db, worker, control, sandbox } = installation;
  const { directoryId } = world.contoso;
  await control.setFaults(directoryId, [{ kind: "hold", path: "/deviceCompliancePolicies", times: 1 }]);
  const held = sandbox.requests.next(({ path }) => path.includes("/deviceCompliancePolicies"));
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  const draining = follow(drainQueue(worker));
  await held;
  await disable(world.omar.id);
  const seen = worker.attempts.recheck(db);
  await seen;
  await enable(world.omar.id);
  await draining.result;
  const { outcome, attempt } = await getRun(db, run);
  // Which of the two the gate met is the race; never anything in between.
  expect(["blocked", "succeeded"]).toContain(outcome);
  expect(attempt).toBe(1);
  await control.clearFaults(directoryId);
});
