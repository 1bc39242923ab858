import { beforeEach, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { requestBackupDeletion } from "../../server/domain/bulk/requestBackupDeletion.ts";
import { digestOfChoice } from "../../server/domain/bulk/shownChoice.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { expireBackups } from "../../server/domain/retention/expireBackups.ts";
import { viewerOf } from "../helpers/backups.ts";
import { storedRun } from "../helpers/bulk.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, openSession, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, listActions, listNotifications } from "../helpers/records.ts";
import { beginRestore, openWriting } from "../helpers/restores.ts";

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

/** A finished backup of the tenant with so many policies in it. */
async function putSet({ items = 2, taken = "0 days" } = {}): Promise<string> {
  const { db } = installation;
  const id = uuidv7();
  const { northwind, contoso } = world;
  await db.query("insert into backup_sets (id, workspace_id, tenant_id) values ($1, $2, $3)", [
    id,
    northwind.id,
    contoso.id,
  ]);
  await db.query(
    `insert into backup_set_details (set_id, kind, tenant_name, types, items, taken_at, completed_at)
     values ($1, 'backup', $2, '{deviceConfigurations}', $3, now() - $4::interval, now() - $4::interval)`,
    [id, contoso.name, items, taken],
  );
  await db.query(
    `insert into backup_items (id, set_id, tenant_id, type, provider_id, name, match_key, odata_type, payload,
       normalised, hash, taken_token)
     select gen_random_uuid(), $1, $2, 'deviceConfigurations', n::text, 'Policy ' || n, n::text, '', p, p, '', 1
     from generate_series(1, $3) n, jsonb_build_object('text', repeat(md5(random()::text), 60)) p`,
    [id, contoso.id, items],
  );
  return id;
}

async function requestDeletion(ids: readonly string[]): Promise<string> {
  const { db } = installation;
  const viewer = await viewerOf(db, world, world.olivia);
  return storedRun(
    await requestBackupDeletion(db, viewer, {
      chosen: { ids },
      digest: digestOfChoice(ids),
      tenantName: world.contoso.name,
      reason: "too old",
      requestKey: crypto.randomUUID(),
      expiresInHours: 24,
    }),
  );
}

async function present(ids: readonly string[]): Promise<string[]> {
  const rows = await installation.db.query<{ id: string }>(
    "select id from backup_sets where id = any ($1::uuid[]) order by id",
    [ids],
  );
  return rows.map(({ id }) => id);
}

test("deletes what was chosen with all that is in it, and no other; each is in the audit trail", async () => {
  const { db, worker } = installation;
  const ids = [];
  for (let n = 0; n < 12; n += 1) ids.push(await putSet());
  const other = await putSet();
  const run = await requestDeletion(ids);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({
    outcome: "succeeded",
    tally: { deleted: 12 },
    effectsDone: 2,
  });
  expect(await present([...ids, other])).toEqual([other]);
  expect(await db.query("select 1 from backup_items where set_id = any ($1::uuid[])", [ids])).toEqual([]);
  expect(await listActions(db, ids[0] ?? "")).toEqual(["backup.deleted"]);
});

test("large ones take no longer than a worker may hold its locks", async () => {
  const { db, worker } = installation;
  const ids = [];
  for (let n = 0; n < 10; n += 1) ids.push(await putSet({ items: 1_000 }));
  const run = await requestDeletion(ids);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1, tally: { deleted: 10 } });
});

test("one that is not there any more is gone, and one of another tenant is left alone", async () => {
  const { db, worker } = installation;
  const mine = await putSet();
  const gone = await putSet();
  const foreign = await foreignSet();
  const run = storedRun(await ask([mine, gone, foreign]));
  await db.query("delete from backup_sets where id = $1", [gone]);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ tally: { deleted: 1, gone: 2 } });
  expect(await present([mine, gone, foreign])).toEqual([foreign]);
});

async function foreignSet(): Promise<string> {
  const elsewhere = await seedNorthwind(installation, { policies: 0 });
  const here = world;
  world = elsewhere;
  const id = await putSet();
  world = here;
  return id;
}

/** As a client could that knows ids which its page never showed. */
function ask(setIds: string[], initiator: Northwind["olivia"] | null = world.olivia) {
  const { northwind, contoso } = world;
  return requestRun(installation.db, {
    operation: "backups.bulk_delete",
    workspaceId: northwind.id,
    tenantId: contoso.id,
    initiator,
    trigger: initiator === null ? "retention" : "page",
    requestKey: null,
    expiresInHours: 24,
    target: { setIds },
  });
}

test("one that a run is still taking is kept, and it says so", async () => {
  const { db, worker } = installation;
  const restore = await beginRestore(installation, world);
  await db.query("insert into backup_sets (id, workspace_id, tenant_id) values ($1, $2, $3)", [
    restore.id,
    world.northwind.id,
    world.contoso.id,
  ]);
  const run = storedRun(await ask([restore.id, await putSet()]));
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({
    outcome: "partially_succeeded",
    failureMessage: "1 backup was kept: a run is still taking it.",
    tally: { deleted: 1, kept: 1 },
  });
});

test("under system authority also at an archived tenant, and nobody is told", async () => {
  const { db, worker } = installation;
  const old = await putSet({ taken: "400 days" });
  await db.query("update tenants set lifecycle = 'archived' where id = $1", [world.contoso.id]);
  const before = new Date(Date.now() - 365 * 86_400_000);
  expect(await expireBackups(db, { before, expiresInHours: 24 })).toBe(1);
  await drainQueue(worker);
  expect(await present([old])).toEqual([]);
  const [run] = await db.query<{ id: string }>("select id from operation_runs where trigger = 'retention'");
  expect(await listNotifications(db, run?.id ?? "")).toEqual([]);
});

test("whoever may no longer, deletes none", async () => {
  const { db, worker } = installation;
  const ids = [await putSet()];
  const run = await requestDeletion(ids);
  await db.query(
    "update roles set capabilities = array_remove(capabilities, 'backup.delete') where workspace_id = $1",
    [world.northwind.id],
  );
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "missing_capability" });
  expect(await present(ids)).toEqual(ids);
});

describe("a restore under way from a backup that is deleted", () => {
  const hold = { kind: "hold", method: "POST", path: "/deviceConfigurations" } as const;

  test("is stopped before its next effect; the call on the wire is waited for", async () => {
    const { db, worker, control, sandbox } = installation;
    const restore = await beginRestore(installation, world);
    const writing = openWriting(installation, restore);
    await control.setFaults(world.contoso.directoryId, [hold]);
    const arrived = sandbox.requests.next(
      ({ method, path }) => method === "POST" && path.endsWith(hold.path),
    );
    const call = follow(writing.create("first"));
    await arrived;
    const setId = restore.backupSetId ?? "";
    const run = await requestDeletion([setId]);
    const deleting = follow(drainQueue(worker));
    await until(async () => (await present([setId])).length === 0);
    // Deleted, but the run that did it waits for the call that was allowed before.
    expect((await getRun(db, run)).status).toBe("running");
    expect(deleting.done).toBe(false);
    await control.clearFaults(world.contoso.directoryId);
    await deleting.result;
    expect(await call.result).toMatchObject({ state: "done" });
    await expect(writing.create("second")).rejects.toThrow("authority ended");
    expect(await getRun(db, restore.id)).toMatchObject({
      outcome: "blocked",
      reasonCode: "execution_prerequisite_invalid",
    });
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
  });

  test("has its effect, or is stopped: neither waits for the other for ever", async () => {
    const { db, worker } = installation;
    for (let round = 0; round < 5; round += 1) {
      const restore = await beginRestore(installation, world);
      const writing = openWriting(installation, restore);
      const run = await requestDeletion([restore.backupSetId ?? ""]);
      const effects = follow(writeUntilStopped(writing));
      await drainQueue(worker);
      await effects.result;
      expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1 });
      expect(await getRun(db, restore.id)).toMatchObject({ outcome: "blocked" });
    }
  });

  /** One effect of its own rows after another. */
  async function writeUntilStopped(writing: ReturnType<typeof openWriting>): Promise<void> {
    for (let n = 0; ; n += 1) {
      try {
        await writing.effect(`row:${n}`, async () => ({ items: 1, counts: {} }));
      } catch (error) {
        if (error instanceof Error && error.message.includes("authority ended")) return;
        throw error;
      }
    }
  }
});

test("an effect that takes away a backup it did not name is refused by the database", async () => {
  const { db, worker } = installation;
  const [named, other] = [await putSet(), await putSet()];
  const id = storedRun(await ask([named]));
  const begun = await worker.begin({ operation: "backups.bulk_delete", runId: id, jobId: "mine" });
  if (begun.kind !== "authorized") throw new Error("It did not begin.");
  const opened = openWriting(installation, begun.run);
  const deleteOther = opened.effect(
    "sets:1",
    async (tx) => {
      await tx.query("delete from backup_sets where id = $1", [other]);
      return { items: 1, counts: {} };
    },
    { takesAway: [named] },
  );
  await expect(deleteOther).rejects.toMatchObject({ code: "42501" });
  expect(await present([other])).toEqual([other]);
  expect((await getRun(db, id)).status).toBe("running");
});

test("two that delete the same, named in opposite order, both come to their end", async () => {
  const { db, worker, url } = installation;
  const ids = [await putSet(), await putSet(), await putSet()];
  const first = storedRun(await ask(ids));
  const second = storedRun(await ask([...ids].reverse()));
  const holder = await openSession(url);
  await holder.query("begin");
  await holder.query("select authority_share(array[authority_key('backup', $1)])", [ids[1]]);
  const working = follow(drainQueue(worker));
  await until(async () => (await getRun(db, first)).status === "running");
  await holder.query("rollback");
  await holder.end();
  await working.result;
  const runs = [await getRun(db, first), await getRun(db, second)];
  expect(runs.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded"]);
  expect(runs.map(({ tally }) => tally.deleted ?? 0).sort()).toEqual([0, 3]);
});
