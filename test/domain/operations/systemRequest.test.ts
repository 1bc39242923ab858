import { beforeEach, describe, expect, test } from "@jest/globals";
import { requestRun } from "../../../server/domain/operations/requestRun.ts";
import { listAudit } from "../../helpers/history.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { openSession, until } from "../../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, listJobsOf } from "../../helpers/queue.ts";
import { count, getRun, listDecisions, listNotifications } from "../../helpers/records.ts";
import { aRequest } from "../../helpers/requests.ts";

/** A denied system request is always kept, because nobody is there to be told; repeats are counted. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

describe("a system request", () => {
  test("that is allowed runs under system authority and notifies nobody", async () => {
    const { db, worker } = installation;
    const run = await ask();
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
    expect(await listNotifications(db, run)).toEqual([]);
    expect((await listAudit(db, run)).map(({ actorId }) => actorId)).not.toContain(world.omar.id);
  });

  test.each([
    [
      "workspace_mismatch",
      "update workspaces set status = 'suspended' where id = $1",
      () => world.northwind.id,
    ],
    ["tenant_missing", "delete from tenants where id = $1", () => world.contoso.id],
    [
      "tenant_not_operable",
      "update tenants set lifecycle = 'suspended' where id = $1",
      () => world.contoso.id,
    ],
    [
      "provider_connection_invalid",
      "update provider_connections set status = 'unverified' where id = $1",
      () => world.connection.id,
    ],
  ])(
    "that is denied (%s) is stored, whatever the reason, and notifies nobody",
    async (reasonCode, sql, id) => {
      const { db } = installation;
      const before = await count(db, "notifications");
      await db.query(sql, [id()]);
      const run = await ask();
      expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode, startedAt: null });
      expect(await listDecisions(db, run)).toMatchObject([{ phase: "request", reasonCode }]);
      expect(await listJobsOf(db, run)).toEqual([]);
      expect(await count(db, "notifications")).toBe(before);
    },
  );
});

describe("a system request that is denied again", () => {
  test("for the same reason is counted on the run that says so, and audited each time", async () => {
    const { db } = installation;
    await suspend();
    const run = await ask();
    expect(await repeatsOf(run)).toEqual({ repeats: 0, since: null });
    for (const repeats of [1, 2, 3]) {
      expect(await ask()).toBe(run);
      expect(await repeatsOf(run)).toEqual({ repeats, since: true });
    }
    expect(await runsOfTenant()).toEqual([run]);
    const requested = (await listAudit(db, run)).filter(({ action }) => action === "run.requested");
    expect(requested.map(({ outcome }) => outcome)).toEqual(["denied", "denied", "denied", "denied"]);
    expect((await listAudit(db, run)).filter(({ action }) => action === "run.blocked")).toHaveLength(1);
  });

  test("twice at once is stored once and counted once", async () => {
    const { db, url } = installation;
    await suspend();
    // Neither may write before both have been judged.
    const session = await openSession(url);
    await session.query("begin");
    await session.query("lock table operation_runs in share mode");
    const both = [ask(), ask()];
    await until(async () => (await waitingFor("advisory")) === 1 && (await waitingFor("relation")) === 1);
    await session.query("commit");
    await session.end();
    const [first, second] = await Promise.all(both);
    expect(second).toBe(first);
    expect(await runsOfTenant()).toEqual([first]);
    expect((await getRun(db, first ?? "")).repeats).toBe(1);
  });

  test("control: without the lock between looking and storing, both find nothing to count on", async () => {
    const { db, url } = installation;
    const looked = [await openSession(url), await openSession(url)];
    await db.query("create table unprotected_denials (tenant_id uuid)");
    for (const session of looked) {
      await session.query("begin");
      const found = await session.query("select 1 from unprotected_denials where tenant_id = $1", [
        world.contoso.id,
      ]);
      if (found.rows.length === 0)
        await session.query("insert into unprotected_denials values ($1)", [world.contoso.id]);
    }
    for (const session of looked) {
      await session.query("commit");
      await session.end();
    }
    expect(await db.query("select 1 from unprotected_denials")).toHaveLength(2);
  });

  test("for another reason is a run of its own", async () => {
    const { db } = installation;
    await suspend();
    const first = await ask();
    await db.query("update workspaces set status = 'suspended' where id = $1", [world.northwind.id]);
    const second = await ask();
    expect(second).not.toBe(first);
    expect(await getRun(db, second)).toMatchObject({ reasonCode: "workspace_mismatch", repeats: 0 });
    expect(await getRun(db, first)).toMatchObject({ reasonCode: "tenant_not_operable", repeats: 0 });
  });

  test("after it had succeeded in between is a run of its own", async () => {
    const { db, worker } = installation;
    await suspend();
    const first = await ask();
    await db.query("update tenants set lifecycle = 'active' where id = $1", [world.contoso.id]);
    await ask();
    await drainQueue(worker);
    await suspend();
    const last = await ask();
    expect(last).not.toBe(first);
    expect(await getRun(db, last)).toMatchObject({ outcome: "blocked", repeats: 0 });
  });

  test("of another operation is a run of its own, and a person's denial is never counted", async () => {
    const { db } = installation;
    await db.query("update tenants set lifecycle = 'archived' where id = $1", [world.contoso.id]);
    const system = await ask();
    const other = await requestRun(
      db,
      aRequest(world, { initiator: null, operation: "provider.connection.verify" }),
    );
    const persons = await requestRun(db, aRequest(world));
    expect([other, persons]).toMatchObject([{ blocked: true }, { blocked: true }]);
    expect(await runsOfTenant()).toHaveLength(3);
    expect(await getRun(db, system)).toMatchObject({ repeats: 0 });
  });
});

async function ask(): Promise<string> {
  const answer = await requestRun(installation.db, aRequest(world, { initiator: null, trigger: "command" }));
  if (answer.kind !== "stored") throw new Error(`It was refused: ${answer.reasonCode}`);
  return answer.runId;
}

async function suspend(): Promise<void> {
  await installation.db.query("update tenants set lifecycle = 'suspended' where id = $1", [world.contoso.id]);
}

async function runsOfTenant(): Promise<string[]> {
  const rows = await installation.db.query<{ id: string }>(
    "select id from operation_runs where tenant_id = $1 order by id",
    [world.contoso.id],
  );
  return rows.map(({ id }) => id);
}

/** How often, and whether the last time was after the request was first stored. */
async function repeatsOf(run: string) {
  const [row] = await installation.db.query<{ repeats: number; since: boolean | null }>(
    "select repeats, last_repeat_at > requested_at as since from operation_runs where id = $1",
    [run],
  );
  return row;
}

async function waitingFor(locktype: string): Promise<number> {
  const rows = await installation.db.query(
    `select 1 from pg_locks where not granted and locktype = $1
     and database = (select oid from pg_database where datname = current_database())`,
    [locktype],
  );
  return rows.length;
}
