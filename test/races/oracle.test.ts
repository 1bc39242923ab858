import { beforeEach, describe, expect, test } from "@jest/globals";
import type { FaultInput } from "../../server/demo/sandbox/faults.ts";
import type { Viewer } from "../../server/domain/authority/viewer.ts";
import { consequenceOf } from "../../server/domain/operations/consequence.ts";
import { findRunFor } from "../../server/domain/operations/findRunFor.ts";
import { findDenied } from "../../server/domain/operations/recheckRuns.ts";
import { confirm, listPlan, viewerOf } from "../helpers/backups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, type Settled, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";
import { getStoredRun, isHeld, isWrite, planRestore, type as policyType } from "./restoring.ts";
import { type Way, ways } from "./ways.ts";

/**
 * The oracle: once a revocation has returned, the provider's own log gains no write under what was revoked.
 * With the real task, at every place in a restore of three policies, each of which is created and then
 * assigned; the second one is where it is interrupted.
 */

const names = ["Policy 1", "Policy 2", "Policy 3"];
const items = names.length;
const installation = useInstallation();
let world: Northwind;
let planId: string;
let runId: string;
let viewer: Viewer;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  viewer = await viewerOf(installation.db, world, world.olivia);
  planId = await planRestore(installation, world, items);
  runId = await confirm(installation, world, planId, world.omar);
});

type Moment = {
  /** What holds the run there. */
  fault: FaultInput;
  /** How many policies there are at the end, and how many of them are assigned. */
  created: number;
  assigned: number;
  /** Calls on the wire that the revocation has to wait for. */
  waitsFor: number;
};

const collection = "/deviceConfigurations";

const moments: Record<string, Moment> = {
  "while a creation is on the wire": {
    fault: { kind: "hold", method: "POST", path: collection, skip: 2, times: 1 },
    created: 2,
    assigned: 1,
    waitsFor: 1,
  },
  "between a creation that was carried out and its answer, and so before the assignment": {
    fault: { kind: "hold", method: "POST", path: collection, skip: 2, times: 1, after: true },
    created: 2,
    assigned: 1,
    waitsFor: 1,
  },
  "while an assignment is on the wire": {
    fault: { kind: "hold", method: "POST", path: "/assign", skip: 1, times: 1 },
    created: 2,
    assigned: 2,
    waitsFor: 1,
  },
  "between two items": {
    // Reading back the second: itself, and its assignments.
    fault: { kind: "hold", method: "GET", path: `${collection}/`, skip: 2, times: 1 },
    created: 2,
    assigned: 2,
    waitsFor: 0,
  },
  "between the intent and its call": {
    // Reading and writing have a token each; the writing one is fetched when the first call is made.
    fault: { kind: "hold", on: "token", skip: 1, times: 1 },
    created: 1,
    assigned: 0,
    waitsFor: 1,
  },
};

const often: Way[] = [
  ways["member removed"],
  ways["capability removed from the role"],
  ways["tenant suspended"],
];
const [first = "", ...otherMoments] = Object.keys(moments);

describe.each([
  ...Object.entries(ways).map(([name, way]) => [name, first, way] as const),
  ...otherMoments.flatMap((moment) =>
    Object.entries(ways).flatMap(([name, way]) =>
      often.includes(way) ? [[name, moment, way] as const] : [],
    ),
  ),
])("%s %s", (_name, place, way) => {
  test("nothing is written after it has returned, and the run says what had been done", async () => {
    const moment = moments[place];
    if (moment === undefined) throw new Error(`There is no ${place}.`);
    const worked = await startAndStopAt(moment);
    const { drained, writtenByThen } = await revokeAt(moment, way);
    expect(drained).toEqual({ done: moment.waitsFor, failed: 0, unknown: 0 });
    await worked.result;
    expect(writes()).toEqual(writtenByThen);
    await expectTruth(moment, way);
  });
});

/** The run, working until the sandbox holds it there. */
async function startAndStopAt({ fault, created }: Moment): Promise<Settled<void>> {
  const { control, worker } = installation;
  const { directoryId } = world.contoso;
  await control.setFaults(directoryId, [fault]);
  await control.clearRequests();
  const worked = follow(drainQueue(worker));
  await until(async () => {
    if (worked.done) throw new Error("The run came to its end without being held.");
    if (!isHeld(installation, world, fault)) return false;
    return fault.after !== true || (await control.listPolicies(directoryId, policyType)).length === created;
  });
  return worked;
}

/** Revokes while the run is held, and lets it go once the revocation is committed: it has not returned by then. */
async function revokeAt({ waitsFor }: Moment, way: Way) {
  const { db, control } = installation;
  const revocation = follow(way.revoke(db, world));
  const run = await getStoredRun(installation, runId);
  await until(async () => (await findDenied(db, [run])).has(runId));
  if (waitsFor === 0) await revocation.result;
  expect(revocation.done).toBe(waitsFor === 0);
  // What is not waited for is let go only when the revocation has returned.
  await control.clearFaults(world.contoso.directoryId);
  const drained = await revocation.result;
  return { drained, writtenByThen: writes() };
}

function writes(): string[] {
  return installation.sandbox.requests
    .list(world.contoso.directoryId)
    .filter(isWrite)
    .map(({ method, path, status, broken }) => `${method} ${path} ${broken ? "broken" : status}`);
}

/** What the run, its items and its page say, against what is at the provider. */
async function expectTruth({ created, assigned }: Moment, { reason }: Way): Promise<void> {
  const { db, control } = installation;
  const kept = await control.listPolicies(world.contoso.directoryId, policyType);
  expect(kept.map(({ payload }) => payload.displayName)).toEqual(names.slice(0, created));
  expect(kept.filter(({ assignments }) => assignments.length > 0).length).toBe(assigned);
  expect(await getRun(db, runId)).toMatchObject({
    status: "completed",
    outcome: "blocked",
    reasonCode: reason,
    tally: { created },
  });
  const results = (await listPlan(db, planId)).map(({ name, result }) => ({ name, result }));
  expect(results).toEqual(names.map((name, index) => ({ name, result: index < created ? "created" : null })));
  const shown = await findRunFor(db, viewer, runId);
  expect(shown && consequenceOf(shown)).toContain(`${created} of ${items} items had been changed before`);
}
