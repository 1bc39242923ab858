import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { AuthorityMode } from "../../server/domain/authority/contract.ts";
import { denials, type ReasonCode, reasonCodes } from "../../server/domain/authority/reasons.ts";
import { contractOf, type OperationName, operationNames } from "../../server/domain/operations/catalog.ts";
import { bring, type Denial, denialCases, type Moment, midway } from "../helpers/denials.ts";
import { listAudit, listEffects, listTransitions, watchTransitions } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobs, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listDecisions, listNotifications } from "../helpers/records.ts";
import { makeTrustingTasks } from "../helpers/trustingTask.ts";

/**
 * The conformance suite: every operation of the catalog, in every authority mode it takes, denied for every
 * reason it can be denied for, at every moment. An operation or a reason without its case fails it.
 */

const installation = useInstallation();
let world: Northwind;

beforeAll(() => watchTransitions(installation.db));
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 6 });
});

const kinds = operationNames.flatMap((operation) =>
  contractOf(operation).authorityModes.map((mode) => ({ operation, mode })),
);
const cases = kinds.flatMap((kind) =>
  reasonCodes.flatMap((code) => {
    const denial: Denial = denialCases[code];
    if (!denial.concerns(contractOf(kind.operation), kind.mode)) return [];
    return denial.moments.map((moment) => ({ ...kind, code, moment }));
  }),
);

describe("the suite is complete", () => {
  test("every reason code has a case and every operation a way to be met in the middle", () => {
    expect(Object.keys(denialCases)).toEqual(reasonCodes);
    expect(Object.keys(midway).sort()).toEqual([...operationNames].sort());
  });

  test("a reason that no operation can be denied for yet has no case, and any other has one", () => {
    const concerned = new Set(cases.map(({ code }) => code));
    const withoutWay = reasonCodes.filter((code) => denialCases[code].bring === null);
    expect(reasonCodes.filter((code) => !concerned.has(code))).toEqual(withoutWay);
  });
});

describe.each(kinds)("$operation, $mode", ({ operation, mode }) => {
  test("allowed: it asks the provider, has effects, and its initiator alone hears of it", async () => {
    const { db, worker } = installation;
    const run = await request(operation, mode);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
    expect(await asked()).toBeGreaterThan(0);
    expect((await listEffects(db, run)).length).toBeGreaterThan(0);
    const told = (await listNotifications(db, run)).map(({ userId }) => userId);
    expect(told).toEqual(mode === "actor_bound" ? [world.omar.id] : []);
  });
});

describe.each(cases)("$operation, $mode, $code, $moment", ({ operation, mode, code, moment }) => {
  test("nothing happens any more, it is blocked once, and who should hear of it does", async () => {
    const { db } = installation;
    const { run, before } = await loseAuthority[moment](operation, mode, code);
    const after = await getRun(db, run);
    expect(after).toMatchObject({
      status: "completed",
      outcome: "blocked",
      reasonCode: code,
      denialClass: denials[code].denialClass,
      failureCode: null,
      // What had been done stays told, and nothing is added.
      tally: before.tally,
      effectsDone: before.effectsDone,
      startedAt: before.startedAt,
    });
    expect(await listEffects(db, run)).toHaveLength(before.effectsDone);
    expect(await asked()).toBe(before.asked);
    expect((await listTransitions(db, run)).filter((became) => became === "blocked")).toHaveLength(1);
    const denied = (await listDecisions(db, run)).filter(({ verdict }) => verdict === "denied");
    const phase = moment === "midRun" ? "checkpoint" : "begin";
    const attempt = moment === "retry" ? 2 : 1;
    expect(denied).toMatchObject([{ phase, attempt, reasonCode: code }]);
    const blocked = (await listAudit(db, run)).filter(({ action }) => action === "run.blocked");
    expect(blocked).toMatchObject([{ outcome: "denied", actorId: null, details: { reasonCode: code } }]);
    const changed = before.effectsDone > 0;
    const content = { operation, outcome: "blocked", reasonCode: code, changed };
    const hears = mode === "actor_bound" && code !== "initiator_missing";
    expect(await listNotifications(db, run)).toEqual(hears ? [{ userId: world.omar.id, content }] : []);
    expect(await listJobs(db)).toEqual([]);
  });
});

describe("control: a worker that trusts what was allowed at request goes on", () => {
  test.each(["begin", "midRun", "retry"] as const)("after a revocation at %s", async (moment) => {
    const { worker } = installation;
    const tasks = makeTrustingTasks(worker);
    const { before } = await loseAuthority[moment](
      "inventory.sync",
      "actor_bound",
      "initiator_not_entitled",
      tasks,
    );
    expect(await asked()).toBeGreaterThan(before.asked);
    const written = await installation.db.query("select 1 from inventory_items where tenant_id = $1", [
      world.contoso.id,
    ]);
    expect(written).toHaveLength(6);
  });
});

type Lost = {
  run: string;
  /** How things stood when the authority was gone. */
  before: { effectsDone: number; tally: Record<string, number>; startedAt: Date | null; asked: number };
};

type Lose = (
  operation: OperationName,
  mode: AuthorityMode,
  code: ReasonCode,
  tasks?: ReturnType<typeof makeTrustingTasks>,
) => Promise<Lost>;

const loseAuthority: Record<Moment, Lose> = {
  async begin(operation, mode, code, tasks) {
    const run = await request(operation, mode);
    const before = await standOf(run);
    expect(before).toMatchObject({ effectsDone: 0, asked: 0, startedAt: null });
    await bring(installation.db, world, denialCases[code], contractOf(operation));
    await drainQueue(installation.worker, tasks);
    return { run, before };
  },
  async midRun(operation, mode, code, tasks) {
    const { db, worker, control, sandbox } = installation;
    const { directoryId } = world.contoso;
    const { path, effectsBefore } = midway[operation];
    await control.setFaults(directoryId, [{ kind: "hold", path }]);
    const held = sandbox.requests.next((request) => request.path.includes(path));
    const run = await request(operation, mode);
    const draining = follow(drainQueue(worker, tasks));
    await held;
    const before = await standOf(run);
    if (tasks === undefined) expect(before.effectsDone).toBe(effectsBefore);
    await bring(db, world, denialCases[code], contractOf(operation));
    await control.clearFaults(directoryId);
    await draining.result;
    return { run, before };
  },
  async retry(operation, mode, code, tasks) {
    const { db, worker, control } = installation;
    const { directoryId } = world.contoso;
    const { path, effectsBefore } = midway[operation];
    await control.setFaults(directoryId, [{ kind: "status", status: 503, path }]);
    const run = await request(operation, mode);
    await drainQueue(worker, tasks);
    const before = await standOf(run);
    if (tasks === undefined) expect(before.effectsDone).toBe(effectsBefore);
    await bring(db, world, denialCases[code], contractOf(operation));
    await control.clearFaults(directoryId);
    await makeJobsDue(db);
    await drainQueue(worker, tasks);
    return { run, before };
  },
};

function request(operation: OperationName, mode: AuthorityMode): Promise<string> {
  const initiator = mode === "actor_bound" ? world.omar : null;
  return requestAs(installation.db, initiator, operation, world.contoso);
}

/** How many requests the provider got from this world's directory, token requests included. */
async function asked(): Promise<number> {
  return (await installation.control.requests(world.contoso.directoryId)).length;
}

async function standOf(run: string): Promise<Lost["before"]> {
  const { effectsDone, tally, startedAt } = await getRun(installation.db, run);
  return { effectsDone, tally, startedAt, asked: await asked() };
}
