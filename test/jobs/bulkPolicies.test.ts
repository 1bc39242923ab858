import { beforeEach, describe, expect, test } from "@jest/globals";
import { settleAbandoned } from "../../jobs/maintenance/settleAbandoned.ts";
import { recorderOf } from "../../jobs/taskList.ts";
import { requeueLostRuns } from "../../server/domain/operations/rescueRuns.ts";
import { changeMemberRole } from "../../server/domain/people/changeMember.ts";
import { putDirectory } from "../helpers/backups.ts";
import {
  confirmAssignment,
  confirmDeletion,
  except,
  groups,
  pilots,
  putPolicy,
  resultsOf,
  staff,
  sync,
  to,
  type,
  writesAt,
} from "../helpers/bulk.ts";
import { createMember, getRole } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listDecisions } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
let directory: string;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  directory = world.contoso.directoryId;
  await putDirectory(installation, world.contoso, { groups });
  for (const id of ["a", "b", "c"]) await putPolicy(installation, world, id, {}, [to(staff)]);
  await sync(installation, world);
});

const kept = () => installation.control.listPolicies(directory, type);

/** Whom the policies are for, by policy: ids of groups, with a minus before those left out. */
async function assigned(): Promise<string[][]> {
  return (await kept()).map(({ assignments }) =>
    assignments.map(({ target }) => {
      const { groupId, "@odata.type": kind } = Object(target);
      return `${String(kind).includes("exclusion") ? "-" : ""}${groupId}`;
    }),
  );
}

/** Takes Olivia's right away while a write is on the wire. */
async function demoteOlivia() {
  const { northwind, olivia } = world;
  const other = await createMember(installation.db, { workspace: northwind, role: "owner" });
  const { id: roleId } = await getRole(installation.db, northwind, "readonly");
  const change = { actor: other, workspaceId: northwind.id, userId: olivia.id, roleId };
  return changeMemberRole(installation.db, change);
}

async function isDemoted(): Promise<boolean> {
  const rows = await installation.db.query(
    `select 1 from role_assignments ra join roles r on r.id = ra.role_id
     where ra.user_id = $1 and r.key = 'readonly'`,
    [world.olivia.id],
  );
  return rows.length > 0;
}

/** Works the queue off with the first deletion held back, does `meanwhile`, and lets it go. */
async function whileDeleting(meanwhile: () => Promise<unknown>): Promise<void> {
  const { control, worker } = installation;
  await control.setFaults(directory, [{ kind: "hold", method: "DELETE", times: 1 }]);
  const working = follow(drainQueue(worker));
  await until(async () => (await writesAt(installation, world)).length === 1);
  const done = follow(meanwhile());
  // A revocation is committed and then waits for the call that is held here.
  await until(async () => done.done || (await isDemoted()));
  await control.clearFaults(directory);
  await working.result;
  await done.result;
}

describe("deleting what was selected", () => {
  test("deletes it, keeps each before in a snapshot, and the inventory knows", async () => {
    const { db, worker } = installation;
    const id = await confirmDeletion(installation, world);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { deleted: 3 } });
    expect(await kept()).toEqual([]);
    expect(await resultsOf(installation, id)).toEqual(["deleted", "deleted", "deleted"]);
    const snapshot = await db.query(
      `select i.name, d.kind from backup_items i join backup_set_details d on d.set_id = i.set_id
       where i.set_id = $1 order by i.name`,
      [id],
    );
    expect(snapshot).toMatchObject([
      { name: "Policy a", kind: "snapshot" },
      { name: "Policy b" },
      { name: "Policy c" },
    ]);
    const present = await db.query(
      "select 1 from inventory_items where tenant_id = $1 and gone_since is null",
      [world.contoso.id],
    );
    expect(present).toEqual([]);
  });

  test("one that Microsoft refuses fails alone", async () => {
    const { db, worker, control } = installation;
    await control.setFaults(directory, [
      { kind: "status", status: 400, method: "DELETE", path: `${type}/b` },
    ]);
    const id = await confirmDeletion(installation, world);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({
      outcome: "partially_succeeded",
      failureMessage: "1 policy failed; 2 policies were changed.",
      tally: { deleted: 2, failed: 1 },
    });
    expect(await resultsOf(installation, id)).toEqual(["deleted", "failed", "deleted"]);
  });

  test("access revoked in mid-run: no further call, and it says what had been done", async () => {
    const { db } = installation;
    const id = await confirmDeletion(installation, world);
    await whileDeleting(demoteOlivia);
    expect(await getRun(db, id)).toMatchObject({
      outcome: "blocked",
      reasonCode: "missing_capability",
      tally: { deleted: 1 },
    });
    expect(await writesAt(installation, world)).toHaveLength(1);
    expect(await resultsOf(installation, id)).toEqual(["deleted", null, null]);
  });

  test("an answer that got lost is found out, and nothing is deleted twice", async () => {
    const { db, worker, control } = installation;
    await control.setFaults(directory, [{ kind: "disconnect", method: "DELETE", after: true, times: 1 }]);
    const id = await confirmDeletion(installation, world);
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { deleted: 3 } });
    expect(await writesAt(installation, world)).toHaveLength(3);
  });

  test("one that still shows for a while, though it was carried out, is not called refused", async () => {
    const { db, worker, control, sandbox } = installation;
    const id = await confirmDeletion(installation, world);
    const isOf = (method: string, request: { method: string; path: string }) =>
      request.method === method && request.path.endsWith(`${type}/a`);
    await control.setFaults(directory, [{ kind: "hold", method: "DELETE", times: 1 }]);
    const deleting = sandbox.requests.next((request) => isOf("DELETE", request));
    const working = follow(drainQueue(worker));
    await deleting;
    const reading = sandbox.requests.next((request) => isOf("GET", request));
    await control.setFaults(directory, [
      { kind: "disconnect", method: "DELETE", after: true, times: 1 },
      { kind: "hold", method: "GET", path: `${type}/a` },
    ]);
    await reading;
    // It reads from a copy that lags: there once more, and gone by the time it is looked at again.
    await putPolicy(installation, world, "a", {}, [to(staff)]);
    // Its assignments are what is asked for last.
    const read = sandbox.requests.next(
      ({ path, status }) => path.endsWith(`${type}/a/assignments`) && status !== null,
    );
    await control.clearFaults(directory);
    expect(await read).toMatchObject({ status: 200 });
    await control.removePolicy(directory, type, "a");
    await working.result;
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { deleted: 3 } });
    expect(await writesAt(installation, world)).toHaveLength(3);
  });
});

describe("what has moved since the selection", () => {
  test.each([
    [
      "changed",
      () => putPolicy(installation, world, "b", { description: "other" }),
      /“Policy b” has changed/,
    ],
    ["gone", () => installation.control.removePolicy(directory, type, "b"), /“Policy b” is no longer/],
  ])("%s: nothing is written", async (_title, move, why) => {
    const { db, worker } = installation;
    const id = await confirmDeletion(installation, world);
    await move();
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({
      outcome: "blocked",
      reasonCode: "execution_prerequisite_invalid",
    });
    const checks = (await listDecisions(db, id)).at(-1)?.checks;
    expect(checks?.execution_prerequisites).toMatchObject({ value: expect.stringMatching(why) });
    expect(await writesAt(installation, world)).toEqual([]);
  });

  test("in mid-run: what was written is said, and nothing more is", async () => {
    const { db } = installation;
    const id = await confirmDeletion(installation, world);
    await whileDeleting(() => putPolicy(installation, world, "b", { description: "other" }));
    expect(await getRun(db, id)).toMatchObject({
      outcome: "blocked",
      reasonCode: "execution_prerequisite_invalid",
      tally: { deleted: 1 },
    });
    expect(await writesAt(installation, world)).toHaveLength(1);
  });

  test("rows that are not those that were confirmed: nothing is written", async () => {
    const { db, worker } = installation;
    const id = await confirmDeletion(installation, world);
    await db.query(
      `with run as (select (target ->> 'selectionId')::uuid as selection from operation_runs where id = $1)
       delete from bulk_items using run where selection_id = run.selection and position = 2`,
      [id],
    );
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ reasonCode: "execution_prerequisite_invalid" });
    expect(await writesAt(installation, world)).toEqual([]);
  });

  test("what was selected cannot be changed", async () => {
    const { db } = installation;
    await confirmDeletion(installation, world);
    const change = db.query("update bulk_items set provider_id = 'another'");
    await expect(change).rejects.toThrow("frozen");
    await expect(db.query("update bulk_selections set digest = 'another'")).rejects.toThrow("frozen");
  });
});

describe("assigning what was selected", () => {
  test("adds groups by name or id to those there are, and keeps each policy before", async () => {
    const { db, worker } = installation;
    const id = await confirmAssignment(installation, world, { include: ["pilots"] });
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { assigned: 3 } });
    expect(await assigned()).toEqual([
      [staff, pilots],
      [staff, pilots],
      [staff, pilots],
    ]);
    const again = await confirmAssignment(installation, world, { include: [pilots] });
    await drainQueue(worker);
    expect(await getRun(db, again)).toMatchObject({ outcome: "succeeded", tally: { unchanged: 3 } });
    expect(await writesAt(installation, world)).toHaveLength(3);
  });

  test("never removes an exclusion: whoever is left out stays so, and a note says it", async () => {
    const { db, worker } = installation;
    await putPolicy(installation, world, "b", {}, [to(staff), except(pilots)]);
    const id = await confirmAssignment(installation, world, { include: ["Pilots"] });
    await drainQueue(worker);
    expect((await assigned())[1]?.sort()).toEqual([staff, `-${pilots}`].sort());
    expect(await resultsOf(installation, id)).toEqual(["assigned", "unchanged", "assigned"]);
    const [noted] = await db.query<{ notes: string[] }>(
      `select i.notes from bulk_items i join bulk_selections s on s.id = i.selection_id
       where s.run_id = $1 and i.result = 'unchanged'`,
      [id],
    );
    expect(noted?.notes).toEqual(["It is not assigned to “Pilots”, which is left out at present."]);
  });

  test("leaves a group out", async () => {
    const { worker } = installation;
    await confirmAssignment(installation, world, { exclude: ["Pilots"] });
    await drainQueue(worker);
    expect(await assigned()).toEqual(Array.from({ length: 3 }, () => [staff, `-${pilots}`]));
  });

  test.each([
    ["that nobody has", "Nobody", /There is no group “Nobody”/],
    ["that several have", "Twins", /2 groups are called “Twins”/],
  ])("a name %s is refused, and nothing is written", async (_title, name, why) => {
    const { db, worker, control } = installation;
    for (const n of [3, 4])
      await control.putGroup(directory, {
        id: `11111111-0000-4000-8000-00000000000${n}`,
        displayName: "Twins",
      });
    const id = await confirmAssignment(installation, world, { include: [name] });
    await drainQueue(worker);
    expect(await getRun(db, id)).toMatchObject({ outcome: "failed", tally: { refused: 3 } });
    const reasons = await db.query<{ reason: string }>(
      `select i.result_reason as reason from bulk_items i join bulk_selections s on s.id = i.selection_id
       where s.run_id = $1`,
      [id],
    );
    expect(reasons.map(({ reason }) => reason)).toEqual(Array(3).fill(expect.stringMatching(why)));
    expect(await writesAt(installation, world)).toEqual([]);
  });
});

describe("a worker that was lost in the middle", () => {
  test.each(["DELETE", "POST"] as const)("%s: its successor goes on where it stopped", async (method) => {
    const { db, worker, control } = installation;
    const confirm = method === "DELETE" ? confirmDeletion : confirmPilots;
    await letAuthorityEndIn(2);
    const id = await confirm(installation, world);
    // The second write goes out, and its answer never comes.
    await control.setFaults(directory, [{ kind: "hold", method, path: `${type}/b` }]);
    const lost = follow(drainQueue(worker));
    await until(async () => (await writesAt(installation, world)).length === 2);
    await db.query(
      "update operation_runs set heartbeat_at = clock_timestamp() - interval '1 hour' where id = $1",
      [id],
    );
    await requeueLostRuns(db, 60_000);
    await renewAuthority();
    await control.clearFaults(directory);
    await lost.result;
    await makeJobsDue(db);
    await drainQueue(worker);
    await settleAbandoned(worker, { recorderOf, margin: 0 });
    const done = method === "DELETE" ? "deleted" : "assigned";
    expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", attempt: 2, tally: { [done]: 3 } });
    expect(await resultsOf(installation, id)).toEqual([done, done, done]);
  });

  const confirmPilots: typeof confirmDeletion = (on, at) =>
    confirmAssignment(on, at, { include: ["Pilots"] });

  async function letAuthorityEndIn(seconds: number): Promise<void> {
    await installation.db.query(
      `update provider_connections
       set verified_at = clock_timestamp() - interval '24 hours' + make_interval(secs => $2) where id = $1`,
      [world.connection.id, seconds],
    );
  }

  async function renewAuthority(): Promise<void> {
    await installation.db.query(
      "update provider_connections set verified_at = clock_timestamp() where id = $1",
      [world.connection.id],
    );
  }
});

test("a job delivered once more does nothing", async () => {
  const { db, worker } = installation;
  const id = await confirmDeletion(installation, world);
  await drainQueue(worker);
  const before = await getRun(db, id);
  await db.query(
    "select graphile_worker.add_job('policies.bulk_delete', json_build_object('runId', $1::uuid))",
    [id],
  );
  await drainQueue(worker);
  expect(await getRun(db, id)).toEqual(before);
  expect(await writesAt(installation, world)).toHaveLength(3);
});
