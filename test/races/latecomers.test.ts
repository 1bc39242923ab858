import { beforeEach, expect, test } from "@jest/globals";
import { markUnseenAsGone, recordPage } from "../../server/domain/inventory/recordPage.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { removeMember } from "../../server/domain/people/changeMember.ts";
import { releaseHold } from "../../server/domain/tenants/hold.ts";
import { beginSync } from "../helpers/begun.ts";
import { createMember, placeHold } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import {
  follow,
  holdKey,
  makeDoor,
  openSession,
  until,
  untilSomebodyWaits,
} from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeJobsDue, makeTestWorker } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";

/** What comes after its moment: statements, jobs, listings, changes. */

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 12 });
});

test("a statement that nobody waited for does not run after its transaction, and so not after a revocation", async () => {
  const { db } = installation;
  await db.query("create table if not exists own_rows (run_id uuid)");
  const run = await beginSync(installation, world);
  const door = makeDoor();
  let forgotten: Promise<unknown> = Promise.resolve();
  await runEffect(db, run, { name: "careless", perAttempt: false }, async (tx) => {
    forgotten = door.wait().then(() => tx.query("insert into own_rows values ($1)", [run.id]));
    return { items: 1, counts: {} };
  });
  await db.query("delete from memberships where user_id = $1", [world.omar.id]);
  door.open();
  await expect(forgotten).rejects.toThrow("came too late");
  expect(await db.query("select 1 from own_rows")).toEqual([]);
});

test.each(["commit", "rollback", "begin", "end"])("an effect cannot %s its own transaction", async (word) => {
  const run = await beginSync(installation, world);
  const effect = runEffect(installation.db, run, { name: word, perAttempt: false }, async (tx) => {
    await tx.query(word);
    return { items: 1, counts: {} };
  });
  await expect(effect).rejects.toThrow("ended by the one that began it");
  expect(await getRun(installation.db, run.id)).toMatchObject({ effectsDone: 0 });
});

test("two syncs of one tenant at once do not take each other's policies for gone", async () => {
  const { db } = installation;
  const [one, two] = [
    await beginSync(installation, world, "one"),
    await beginSync(installation, world, "two"),
  ];
  for (const run of [one, two]) await effect(run, "page");
  for (const run of [one, two]) await effect(run, "gone");
  const gone = await db.query(
    "select 1 from inventory_items where tenant_id = $1 and gone_since is not null",
    [world.contoso.id],
  );
  expect(gone).toEqual([]);
});

test("a run that was released while its job looked again is still retried after a fault", async () => {
  const { db, url, worker, control } = installation;
  const { contoso, northwind, olivia, omar } = world;
  await placeHold(db, { tenant: contoso });
  const run = await requestAs(db, omar, "inventory.sync", contoso);
  await drainQueue(worker);
  await control.setFaults(contoso.directoryId, [{ kind: "status", status: 503 }]);
  await makeJobsDue(db);
  const letGo = await holdKey(url, "user", omar.id);
  const drained = follow(drainQueue(worker));
  await untilSomebodyWaits(db);
  await releaseHold(db, { actor: olivia, workspaceId: northwind.id, tenantId: contoso.id });
  await letGo();
  await drained.result;
  await control.clearFaults(contoso.directoryId);
  await until(async () => {
    await makeJobsDue(db);
    await drainQueue(worker);
    return (await getRun(db, run)).status === "completed";
  });
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
  expect(await listJobsOf(db, run)).toEqual([]);
});

test("a key that somebody holds keeps back the runs that need it, and nobody else's", async () => {
  const { db, url, sandbox } = installation;
  const worker = makeTestWorker(db, sandbox.url);
  const other = await seedNorthwind(installation, { policies: 0 });
  const held = await Promise.all(
    Array.from({ length: 4 }, () => requestAs(db, world.omar, "inventory.sync", world.contoso)),
  );
  const free = await requestAs(db, other.omar, "inventory.sync", other.contoso);
  const letGo = await holdKey(url, "user", world.omar.id);
  const operation = "inventory.sync" as const;
  const waiting = held.map((runId) => follow(worker.begin({ operation, runId, jobId: runId })));
  const answer = await worker.begin({ operation, runId: free, jobId: free });
  expect(answer.kind).toBe("authorized");
  expect(waiting.some(({ done }) => done)).toBe(false);
  await letGo();
  for (const { result } of waiting) expect((await result).kind).toBe("authorized");
});

test("an open run of an operation that this release lacks keeps nobody from revoking", async () => {
  const { db } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await db.query(
    `insert into operation_runs select copy.* from operation_runs r,
       jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'operation', 'backup.create')) as copy
     where r.id = $1`,
    [run],
  );
  const { northwind, olivia, omar } = world;
  const receipt = await removeMember(db, { actor: olivia, workspaceId: northwind.id, userId: omar.id });
  expect(receipt.member).toBe("Omar Haddad");
});

test("a revocation of so many that it takes the installation's key waits for an admin's change under way", async () => {
  const { db, url } = installation;
  await db.query(
    `insert into users (id, email)
     select gen_random_uuid(), 'bulk-' || n || md5(random()::text) || '@example.com' from generate_series(1, 600) n`,
  );
  const { northwind, olivia, omar } = world;
  const other = await createMember(db, { workspace: northwind, role: "owner" });
  const blocker = await openSession(url);
  await blocker.query("begin");
  await blocker.query("select 1 from memberships where user_id = $1 for update", [omar.id]);
  const change = follow(removeMember(db, { actor: olivia, workspaceId: northwind.id, userId: omar.id }));
  await until(async () => {
    const waits = await db.query(
      "select 1 from pg_locks where not granted and locktype in ('transactionid', 'tuple')",
    );
    return waits.length > 0;
  });
  const revoker = await openSession(url);
  const revoked = follow(
    revoker.query("update users set status = 'disabled' where id <> all ($1)", [[other.id, omar.id]]),
  );
  await untilSomebodyWaits(db, revoker.pid);
  expect({ change: change.done, revoked: revoked.done }).toEqual({ change: false, revoked: false });
  await blocker.query("rollback");
  await change.result;
  await revoked.result;
  await Promise.all([blocker.end(), revoker.end()]);
});

async function effect(run: Run, name: "page" | "gone"): Promise<void> {
  const listing = {
    runId: run.id,
    fencingToken: run.fencingToken,
    tenantId: world.contoso.id,
    type: "deviceConfigurations" as const,
  };
  const policies = ["a", "b", "c"].map((id) => ({
    id,
    name: id,
    odataType: "#policy",
    payload: { id },
    matchKey: id,
    normalised: {},
    notCaptured: [],
    assignments: null,
  }));
  await runEffect(installation.db, run, { name, perAttempt: true }, (tx) =>
    name === "page" ? recordPage(tx, listing, policies) : markUnseenAsGone(tx, listing),
  );
}
