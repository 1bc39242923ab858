import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { beforeAll, expect, test } from "@jest/globals";
import { openProvider } from "../../jobs/openProvider.ts";
import type { FaultInput } from "../../server/demo/sandbox/faults.ts";
import { end, startWorkerProcess } from "../browser/processes.ts";
import { confirm, listPlan } from "../helpers/backups.ts";
import { within } from "../helpers/callTime.ts";
import { useInstallation } from "../helpers/installation.ts";
import { until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun, listActions } from "../helpers/records.ts";
import { creationOf } from "../helpers/restores.ts";
import { isHeld, isWrite, planRestore, type } from "./restoring.ts";

/**
 * A worker process killed outright in the midst of four restores, each of them in another place between two
 * calls; then another process takes them up. Each is of three policies that are created and then assigned.
 */

const installation = useInstallation();
const names = ["Policy 1", "Policy 2", "Policy 3"];
const collection = "/deviceConfigurations";

/** What holds a run in its place, and how many of its calls are settled and carried out by then. */
type Place = { fault: FaultInput; settled: number; inFlight: number; carriedOut: number };

const places: Record<string, Place> = {
  "between intend and call": {
    // Reading and writing have a token each; the writing one is fetched when the first call is made.
    fault: { kind: "hold", on: "token", skip: 1, times: 1 },
    settled: 0,
    inFlight: 1,
    carriedOut: 0,
  },
  "while the call is on the wire": {
    fault: { kind: "hold", method: "POST", path: collection, skip: 2, times: 1 },
    settled: 2,
    inFlight: 1,
    carriedOut: 1,
  },
  "between call and settle": {
    fault: { kind: "hold", method: "POST", path: collection, skip: 2, times: 1, after: true },
    settled: 2,
    inFlight: 1,
    carriedOut: 2,
  },
  "after settle": {
    // Reading back the second policy.
    fault: { kind: "hold", method: "GET", path: `${collection}/`, skip: 2, times: 1 },
    settled: 4,
    inFlight: 0,
    carriedOut: 2,
  },
};

type Case = { name: string; place: Place; world: Northwind; planId: string; runId: string };
const cases: Case[] = [];

beforeAll(async () => {
  for (const [name, place] of Object.entries(places)) {
    const world = await seedNorthwind(installation, { policies: 0 });
    const planId = await planRestore(installation, world, names.length);
    cases.push({ name, place, world, planId, runId: "" });
  }
  await installation.control.clearRequests();
  const lost = startWorkerProcess(installation.url, installation.sandbox.url);
  await killInPlace(lost);
  const next = startWorkerProcess(installation.url, installation.sandbox.url);
  try {
    for (const { runId } of cases)
      await until(async () => (await getRun(installation.db, runId)).status === "completed");
  } finally {
    await end(next);
  }
});

async function killInPlace(worker: ChildProcess): Promise<void> {
  const { db, control, sandbox } = installation;
  await until(async () => (await db.query("select 1 from worker_pools")).length > 0);
  // Until when calls may be on the wire, and so how long the next worker must wait before it looks for them.
  await db.query(
    `update provider_connections
     set verified_at = clock_timestamp() - interval '24 hours' + interval '8 seconds'`,
  );
  for (const each of cases) {
    await control.setFaults(each.world.contoso.directoryId, [each.place.fault]);
    each.runId = await confirm(installation, each.world, each.planId, each.world.omar);
  }
  for (const each of cases) await until(() => isInPlace(each));
  worker.kill("SIGKILL");
  await once(worker, "exit");
  await until(async () => sandbox.requests.list().every(({ status, broken }) => status !== null || broken));
  for (const { world } of cases) await control.clearFaults(world.contoso.directoryId);
  // As if it had been silent for as long as it takes to be given up; meanwhile somebody verifies anew.
  await db.query("update provider_connections set verified_at = clock_timestamp()");
  await db.query("update worker_pools set last_heartbeat_at = clock_timestamp() - interval '2 minutes'");
  await db.query("update operation_runs set heartbeat_at = clock_timestamp() - interval '2 minutes'");
}

async function isInPlace({ place, world, runId }: Case): Promise<boolean> {
  const { settled, inFlight, carriedOut } = place;
  if (!isHeld(installation, world, place.fault)) return false;
  const [effects] = await installation.db.query<{ settled: number; inFlight: number }>(
    `select count(*) filter (where state = 'done')::integer as settled,
       count(*) filter (where state = 'in_flight')::integer as "inFlight"
     from effects where run_id = $1 and kind = 'provider'`,
    [runId],
  );
  const kept = await installation.control.listPolicies(world.contoso.directoryId, type);
  return effects?.settled === settled && effects.inFlight === inFlight && kept.length === carriedOut;
}

test.each(Object.keys(places))(
  "killed %s: each policy is there once, and the run ends with the truth",
  async (name) => {
    const found = cases.find((each) => each.name === name);
    if (found === undefined) throw new Error(`There is no case ${name}.`);
    const { db, control, sandbox } = installation;
    const { world, planId, runId } = found;
    const kept = await control.listPolicies(world.contoso.directoryId, type);
    expect(kept.map(({ payload }) => payload.displayName)).toEqual(names);
    expect(kept.map(({ assignments }) => assignments.length)).toEqual([1, 1, 1]);
    expect(await getRun(db, runId)).toMatchObject({
      outcome: "succeeded",
      attempt: 2,
      tally: { created: names.length },
    });
    const results = (await listPlan(db, planId)).map((item) => ({ name: item.name, result: item.result }));
    expect(results).toEqual(names.map((each) => ({ name: each, result: "created" })));
    expect(await listActions(db, runId)).toContain("run.worker_lost");
    const effects = await db.query(
      "select state, count(*)::integer as n from effects where run_id = $1 and kind = 'provider' group by state",
      [runId],
    );
    expect(effects).toEqual([{ state: "done", n: 2 * names.length }]);
    // What was carried out before the worker died was not sent a second time.
    const creations = sandbox.requests
      .list(world.contoso.directoryId)
      .filter((asked) => isWrite(asked) && asked.path.endsWith(collection) && asked.status === 201);
    expect(creations.length + (name === "between call and settle" ? 1 : 0)).toBe(names.length);
  },
);

test("control: a worker that starts over without knowing what was sent leaves each policy twice", async () => {
  const { worker, control } = installation;
  const { contoso, connection } = await seedNorthwind(installation, { policies: 0 });
  const { writer } = await openProvider(worker, connection.id);
  for (const attempt of ["first", "second"])
    for (const name of names)
      await writer.write(creationOf(worker, name).write, `${attempt} ${name}`, within(5_000));
  const kept = await control.listPolicies(contoso.directoryId, type);
  expect(kept.map(({ payload }) => payload.displayName)).toEqual([...names, ...names]);
});
