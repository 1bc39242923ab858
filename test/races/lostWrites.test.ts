import { beforeEach, expect, test } from "@jest/globals";
import { settleAbandoned } from "../../jobs/maintenance/settleAbandoned.ts";
import { openProvider } from "../../jobs/openProvider.ts";
import type { Db } from "../../server/db/database.ts";
import { knownDefinitions } from "../../server/demo/sandbox/definitionCatalogue.ts";
import { digestOfJson } from "../../server/domain/digest.ts";
import { listAbandonedWrites } from "../../server/domain/operations/abandonedWrites.ts";
import { intendWrite } from "../../server/domain/operations/intendWrite.ts";
import { requeueLostRuns } from "../../server/domain/operations/rescueRuns.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { settleWrite } from "../../server/domain/operations/settleWrite.ts";
import { removeMember } from "../../server/domain/people/changeMember.ts";
import type { PolicyWrite } from "../../server/provider/port.ts";
import { within } from "../helpers/callTime.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";
import { beginAgain, beginRestore, countSettled, openWriting } from "../helpers/restores.ts";
import { countUnsettled, intendCreation, letAuthorityEndIn, renewAuthority } from "./intending.ts";

/**
 * A worker that dies, or loses sight of a call, at every place between intending and settling: no object twice
 * at the provider, no item lost, and the run says what happened.
 */

const installation = useInstallation();
let world: Northwind;
let run: Run;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await beginRestore(installation, world);
});

async function names(): Promise<unknown[]> {
  const kept = await installation.control.listPolicies(world.contoso.directoryId, "deviceConfigurations");
  return kept.map(({ payload }) => payload.displayName).sort();
}

/** The worker is gone: another takes the run up, under a new token. */
async function loseWorker(): Promise<Run> {
  await installation.db.query(
    "update operation_runs set heartbeat_at = clock_timestamp() - interval '2 minutes' where id = $1",
    [run.id],
  );
  expect(await requeueLostRuns(installation.db, 60_000)).toBe(1);
  return beginAgain(installation, run.id);
}

test("lost between intend and call: the next attempt finds that nothing was made, and makes it once", async () => {
  await letAuthorityEndIn(installation, world, 1);
  await intendCreation(installation, run, "Edge policy");
  await renewAuthority(installation, world);
  const next = await loseWorker();
  expect(await openWriting(installation, next).create("Edge policy")).toMatchObject({ state: "done" });
  expect(await names()).toEqual(["Edge policy"]);
  expect(await getRun(installation.db, run.id)).toMatchObject({ tally: { done: 1 }, effectsDone: 1 });
});

test("lost between call and settle: the next attempt finds what was made, and makes no second one", async () => {
  const { worker } = installation;
  await letAuthorityEndIn(installation, world, 1);
  const { key, write } = await intendCreation(installation, run, "Edge policy");
  const { writer } = await openProvider(worker, world.connection.id);
  const { id } = await writer.write(write, key.idempotencyKey, within(5_000));
  await renewAuthority(installation, world);
  const next = await loseWorker();
  expect(await openWriting(installation, next).create("Edge policy")).toEqual({
    state: "done",
    id,
    reason: null,
  });
  expect(await names()).toEqual(["Edge policy"]);
});

test("lost after settling: the next attempt skips it and goes on with the object's id", async () => {
  const first = await openWriting(installation, run).create("Edge policy");
  const next = openWriting(installation, await loseWorker());
  expect(await next.create("Edge policy")).toEqual(first);
  await next.create("Firewall");
  expect(await names()).toEqual(["Edge policy", "Firewall"]);
  expect(await getRun(installation.db, run.id)).toMatchObject({ tally: { done: 2 }, effectsDone: 2 });
});

test("an answer that got lost after the call was carried out is found out at once", async () => {
  const { directoryId } = world.contoso;
  await installation.control.setFaults(directoryId, [
    { kind: "disconnect", method: "POST", after: true, times: 1 },
  ]);
  expect(await openWriting(installation, run).create("Edge policy")).toMatchObject({ state: "done" });
  expect(await names()).toEqual(["Edge policy"]);
});

test("a creation that does not show at once, though it was carried out, is not made twice", async () => {
  const { directoryId } = world.contoso;
  await installation.control.setFaults(directoryId, [
    { kind: "disconnect", method: "POST", after: true, times: 1 },
    { kind: "empty_page", method: "GET", path: "deviceConfigurations?$select", times: 2 },
  ]);
  expect(await openWriting(installation, run).create("Edge policy")).toMatchObject({ state: "done" });
  expect(await names()).toEqual(["Edge policy"]);
});

test("a call that was never carried out is made again, under a fresh gate", async () => {
  const { db, control } = installation;
  await control.setFaults(world.contoso.directoryId, [{ kind: "disconnect", method: "POST", times: 2 }]);
  expect(await openWriting(installation, run).create("Edge policy")).toMatchObject({ state: "done" });
  expect(await names()).toEqual(["Edge policy"]);
  expect(await getRun(db, run.id)).toMatchObject({ tally: { done: 1 }, effectsDone: 1 });
});

test("what the provider cannot be asked about is unknown, said so, and found out by the rescuer later", async () => {
  const { db, control } = installation;
  const { directoryId } = world.contoso;
  await letAuthorityEndIn(installation, world, 1.5);
  await control.setFaults(directoryId, [
    { kind: "disconnect", method: "POST", after: true },
    { kind: "status", status: 500, method: "GET" },
  ]);
  const ended = await openWriting(installation, run).create("Edge policy");
  expect(ended).toMatchObject({ state: "unknown", reason: expect.stringContaining("not known") });
  expect(await countUnsettled(installation, run)).toBe(1);
  await control.clearFaults(directoryId);
  await until(async () => (await rescueCalls()) === 1);
  expect(await countUnsettled(installation, run)).toBe(0);
  expect(await getRun(db, run.id)).toMatchObject({ effectsDone: 1, tally: { done: 1, unknown: 1 } });
});

test("a call left behind by a run that was blocked meanwhile is settled, and the run's page tells the truth", async () => {
  const { db, worker } = installation;
  await letAuthorityEndIn(installation, world, 1);
  const { key, write } = await intendCreation(installation, run, "Edge policy");
  const { writer } = await openProvider(worker, world.connection.id);
  await writer.write(write, key.idempotencyKey, within(5_000));
  const { olivia, omar, northwind } = world;
  const { drained } = await removeMember(db, { actor: olivia, workspaceId: northwind.id, userId: omar.id });
  expect(drained).toEqual({ done: 0, failed: 0, unknown: 1 });
  await db.query("update operation_runs set heartbeat_at = clock_timestamp() - interval '2 minutes'");
  await requeueLostRuns(db, 60_000);
  const begun = await worker.begin({ operation: "restore.execute", runId: run.id, jobId: "next" });
  expect(begun).toEqual({ kind: "blocked" });
  expect(await getRun(db, run.id)).toMatchObject({ outcome: "blocked", effectsDone: 0 });
  expect(await rescueCalls()).toBe(1);
  expect(await getRun(db, run.id)).toMatchObject({ outcome: "blocked", effectsDone: 1, tally: { done: 1 } });
});

test("a change that may have been carried out is not said not to have been; the next attempt makes it again", async () => {
  const { db, control, worker } = installation;
  const { directoryId } = world.contoso;
  const type = "deviceConfigurations";
  const payload = {
    "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
    displayName: "Edge policy",
  };
  await control.putPolicy(directoryId, type, "p", { ...payload, description: "before" });
  const before = digestOfJson(worker.provider.model.normalise(type, { ...payload, description: "before" }));
  const body = { "@odata.type": payload["@odata.type"], description: "after" };
  const change = {
    name: "item:1:update",
    write: { action: "update", type, id: "p", body },
    matchKey: "",
    before,
  } as const;
  const { write } = change;
  await letAuthorityEndIn(installation, world, 1);
  // The last of several calls alone would say what the object reads like then.
  const intent = {
    action: write.action,
    type,
    id: "p",
    matchKey: "",
    before,
    after: null,
    item: {},
  } as const;
  const intended = await intendWrite(db, run, { name: change.name, intent, credentialVersion: 1 });
  if (intended.kind !== "intended") throw new Error("It was not intended.");
  const { writer } = await openProvider(worker, world.connection.id);
  await writer.write(write, intended.key.idempotencyKey, within(5_000));
  await until(async () => (await rescueCalls()) === 1);
  const [state] = await db.query("select state from effects where run_id = $1", [run.id]);
  expect(state).toEqual({ state: "unknown" });
  expect(await countUnsettled(installation, run)).toBe(1);
  await renewAuthority(installation, world);
  const next = openWriting(installation, await loseWorker());
  expect(await next.providerEffect({ ...change, after: null, item: {} })).toMatchObject({ state: "done" });
  expect(await countUnsettled(installation, run)).toBe(0);
  expect(await getRun(db, run.id)).toMatchObject({ effectsDone: 1 });
});

test("a creation of which it is not known whether it was carried out is never made again", async () => {
  const { db } = installation;
  const { key } = await intendCreation(installation, run, "Edge policy");
  const ended = { state: "unknown", id: null, reason: "no answer", requestId: null } as const;
  await settleWrite(db, key, ended, null);
  expect(await openWriting(installation, run).create("Edge policy")).toMatchObject({ state: "unknown" });
  const again = follow(
    db.query("update effects set state = 'in_flight', settled_at = null where run_id = $1", [run.id]),
  );
  await expect(again.result).rejects.toMatchObject({ code: "42501" });
  expect(await names()).toEqual([]);
});

test("settings of an administrative template are not sent again where it is not known whether they were set", async () => {
  const { control } = installation;
  const { directoryId } = world.contoso;
  const type = "groupPolicyConfigurations";
  await control.putPolicy(directoryId, type, "p", { displayName: "Edge", definitionValues: [] });
  const [definition] = knownDefinitions.filter(({ presentations }) => presentations.length === 0);
  const bind = `/deviceManagement/groupPolicyDefinitions('${definition?.id}')`;
  const added = [{ enabled: true, "definition@odata.bind": bind, presentationValues: [] }];
  const write: PolicyWrite = {
    action: "definitions",
    type,
    id: "p",
    body: { added, updated: [], deletedIds: [] },
  };
  await control.setFaults(directoryId, [{ kind: "disconnect", method: "POST", after: true, times: 1 }]);
  // It reads neither as before nor as it was to become: somebody else has changed it besides.
  const call = {
    name: "item:1:definitions",
    write,
    matchKey: "",
    before: "before",
    after: "after",
    item: {},
  };
  expect(await openWriting(installation, run).providerEffect(call)).toMatchObject({ state: "unknown" });
  expect(await openWriting(installation, run).providerEffect(call)).toMatchObject({ state: "unknown" });
  const again = follow(
    installation.db.query("update effects set state = 'in_flight', settled_at = null where run_id = $1", [
      run.id,
    ]),
  );
  await expect(again.result).rejects.toMatchObject({ code: "42501" });
  const kept = await control.getPolicy(directoryId, type, "p");
  expect(kept?.payload.definitionValues).toHaveLength(1);
  expect(await countUnsettled(installation, run)).toBe(1);
});

test("many calls of which nothing can be found out do not keep one from being looked at that a lost worker left", async () => {
  const { db } = installation;
  const ended = { state: "unknown", id: null, reason: "no answer", requestId: null } as const;
  for (let n = 0; n < 20; n += 1)
    await settleWrite(db, (await intendCreation(installation, run, `Policy ${n}`)).key, ended, null);
  await db.query("update effects set deadline = deadline - interval '1 minute' where run_id = $1", [run.id]);
  await letAuthorityEndIn(installation, world, 1);
  const { key } = await intendCreation(installation, run, "Edge policy");
  await until(async () => (await readCalls("deadline > clock_timestamp()")) === 0);
  const looked = await listAbandonedWrites(db, 0);
  expect(looked).toHaveLength(20);
  expect(looked[0]?.key).toEqual(key);
});

test("a call that another release left, which this one cannot read, keeps no other from being settled", async () => {
  const { db, worker } = installation;
  await letAuthorityEndIn(installation, world, 1);
  await intendCreation(installation, run, "Of another release");
  const guards = ["effects_keep_their_history", "effects_backstop_again"];
  for (const guard of guards) await db.query(`alter table effects disable trigger ${guard}`);
  try {
    await db.query(
      `update effects set intent = jsonb_set(intent, '{action}', '"rename"'), deadline = deadline - interval '1 minute'
       where run_id = $1`,
      [run.id],
    );
  } finally {
    for (const guard of guards) await db.query(`alter table effects enable always trigger ${guard}`);
  }
  const { key, write } = await intendCreation(installation, run, "Edge policy");
  const { writer } = await openProvider(worker, world.connection.id);
  await writer.write(write, key.idempotencyKey, within(5_000));
  await until(async () => (await readCalls("deadline > clock_timestamp()")) === 0);
  await rescueCalls();
  expect(await countUnsettled(installation, run)).toBe(1);
  expect(await getRun(db, run.id)).toMatchObject({ tally: { done: 1 }, effectsDone: 1 });
});

test("a worker that comes back after it was given up changes nothing that was found out meanwhile", async () => {
  const { db } = installation;
  await letAuthorityEndIn(installation, world, 1);
  const { key } = await intendCreation(installation, run, "Edge policy");
  await renewAuthority(installation, world);
  const next = await loseWorker();
  await openWriting(installation, next).create("Edge policy");
  const late = { state: "failed", id: null, reason: "no answer", requestId: null } as const;
  expect(await settleWrite(db, key, late, countSettled)).toMatchObject({ state: "done" });
  expect(await getRun(db, run.id)).toMatchObject({ tally: { done: 1 }, effectsDone: 1 });
  await expect(openWriting(installation, run).create("Another")).rejects.toThrow("newer attempt");
});

test("a call whose time is over before the worker comes to it is not sent", async () => {
  const { db, worker } = installation;
  let isSlow = false;
  const slow: Db = {
    ...db,
    async transaction(work, bounds) {
      const answer = await db.transaction(work, bounds);
      // As if the answer to the commit had come late; the connection to the provider stands and its token is known.
      if (isSlow) await until(async () => (await readCalls("deadline > clock_timestamp()")) === 0);
      return answer;
    },
  };
  const writing = openWriting({ worker: { ...worker, db: slow } }, run);
  await writing.create("Edge policy");
  await letAuthorityEndIn(installation, world, 1);
  isSlow = true;
  await expect(writing.create("Firewall")).rejects.toThrow("authority ended");
  expect(await names()).toEqual(["Edge policy"]);
  expect(await countUnsettled(installation, run)).toBe(0);
  expect(await getRun(db, run.id)).toMatchObject({ outcome: "blocked", reasonCode: "write_gate_blocked" });
});

test("an intent of a gate that never was is refused by the database", async () => {
  const forged = `insert into effects (run_id, key, fencing_token, kind, state, authority_keys, epochs,
      valid_until, deadline, idempotency_key, intent)
    values ($1, 'forged', $2, 'provider', 'in_flight', '{}', '{}', 'infinity',
      clock_timestamp() + interval '1 minute', gen_random_uuid(), '{}')`;
  const forging = installation.db.query(forged, [run.id, run.fencingToken]);
  await expect(forging).rejects.toMatchObject({ code: "42501" });
});

test("a failed call is not taken up again past the gate either", async () => {
  const { db, control } = installation;
  await control.setFaults(world.contoso.directoryId, [{ kind: "status", status: 400, method: "POST" }]);
  expect(await openWriting(installation, run).create("Edge policy")).toMatchObject({ state: "failed" });
  const again = follow(
    db.query("update effects set state = 'in_flight', settled_at = null where run_id = $1", [run.id]),
  );
  await expect(again.result).rejects.toMatchObject({ code: "42501" });
});

/** How many calls under way are such. */
async function readCalls(condition: string): Promise<number> {
  const rows = await installation.db.query(
    `select 1 from effects where run_id = $1 and state = 'in_flight' and ${condition}`,
    [run.id],
  );
  return rows.length;
}

/** What the rescuer does, without waiting for the margin in which a call's own worker would settle it. */
function rescueCalls(): Promise<number> {
  return settleAbandoned(installation.worker, { recorderOf: () => countSettled, margin: 0 });
}
