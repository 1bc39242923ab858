import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { gateRuns } from "../../server/domain/operations/gateRuns.ts";
import { listInventory, listTransitions, watchTransitions } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, holdKey, untilSomebodyWaits } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobs } from "../helpers/queue.ts";
import { getRun, listDecisions } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;

beforeAll(() => watchTransitions(installation.db));
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

/** Every key of a run: whoever changes anything about it holds one of these. */
const keys: Record<string, (world: Northwind) => string> = {
  workspace: ({ northwind }) => northwind.id,
  user: ({ omar }) => omar.id,
  tenant: ({ contoso }) => contoso.id,
  connection: ({ connection }) => connection.id,
};

describe("a run is never running before its gate said yes", () => {
  test.each(Object.entries(keys))(
    "while the %s's authority is being changed, the run stays queued and the provider hears nothing",
    async (kind, idIn) => {
      const { db, url, worker, control } = installation;
      const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
      const release = await holdKey(url, kind, idIn(world));
      const draining = follow(drainQueue(worker));
      await untilSomebodyWaits(db);
      expect(await getRun(db, run)).toMatchObject({
        status: "queued",
        outcome: "pending",
        startedAt: null,
        attempt: 0,
        fencingToken: "0",
      });
      expect(await control.requests(world.contoso.directoryId)).toEqual([]);
      expect(await listDecisions(db, run)).toEqual([]);
      await release();
      await draining.result;
      expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 1 });
    },
  );

  test("control: a worker that starts the run and then asks is seen running without a verdict", async () => {
    const { db, url } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const release = await holdKey(url, "user", world.omar.id);
    const asking = follow(startThenAsk(run));
    await untilSomebodyWaits(db);
    expect(await getRun(db, run)).toMatchObject({ status: "running" });
    expect(await listDecisions(db, run)).toEqual([]);
    await release();
    await asking.result;
  });

  test("an allowed run starts at the moment of the verdict that allowed it", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect(await listTransitions(db, run)).toEqual(["running", "succeeded"]);
    const [begun] = await db.query<{ same: boolean }>(
      `select r.started_at = d.decided_at as same from operation_runs r
       join execution_decisions d on d.run_id = r.id and d.phase = 'begin' where r.id = $1`,
      [run],
    );
    expect(begun).toEqual({ same: true });
  });

  test("a denied run goes from queued to blocked without ever having run", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await db.query("delete from memberships where user_id = $1", [world.omar.id]);
    await drainQueue(worker);
    expect(await listTransitions(db, run)).toEqual(["blocked"]);
    expect(await getRun(db, run)).toMatchObject({ startedAt: null, attempt: 0, fencingToken: "0" });
    expect(await listJobs(db)).toEqual([]);
  });

  test("each of many runs that share a gate is judged by itself", async () => {
    const { db, worker } = installation;
    const others = await Promise.all([1, 2].map(() => seedNorthwind(installation, { policies: 3 })));
    const [doomed, lucky] = [world, ...others];
    const runs = await Promise.all(
      [world, ...others].map(({ omar, contoso }) => requestAs(db, omar, "inventory.sync", contoso)),
    );
    await db.query("delete from memberships where user_id = $1", [doomed?.omar.id]);
    await drainQueue(worker);
    const outcomes = await Promise.all(runs.map(async (run) => (await getRun(db, run)).outcome));
    expect(outcomes).toEqual(["blocked", "succeeded", "succeeded"]);
    expect(await listInventory(db, world.contoso.id)).toEqual([]);
    expect(await listInventory(db, lucky?.contoso.id ?? "")).toHaveLength(3);
  });
});

async function startThenAsk(run: string): Promise<void> {
  const { db } = installation;
  await db.query(
    `update operation_runs set status = 'running', started_at = now(), attempt = 1, fencing_token = 1
     where id = $1`,
    [run],
  );
  await db.transaction((tx) => gateRuns(tx, [run], "begin"));
}
