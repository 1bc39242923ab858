import { beforeEach, describe, expect, test } from "@jest/globals";
import { openProvider } from "../../jobs/openProvider.ts";
import { findDenied } from "../../server/domain/operations/recheckRuns.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { checkpoint, RunStopped } from "../../server/domain/operations/runEffect.ts";
import { removeMember } from "../../server/domain/people/changeMember.ts";
import { changeAuthority } from "../../server/domain/revocation/changeAuthority.ts";
import {
  drainWrites,
  listUnderWay,
  nothingDrained,
  type UnderWay,
} from "../../server/domain/revocation/drainWrites.ts";
import { within } from "../helpers/callTime.ts";
import { getRole } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, openSession, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";
import { beginRestore, creationOf, openWriting } from "../helpers/restores.ts";
import { editRole, ownRole } from "../helpers/roles.ts";
import { ways } from "./ways.ts";

/**
 * Handbook 2, "Provider writes": once a revocation has returned, the provider gets no call under what was
 * revoked; what was on the wire is waited for, to its deadline at most, and reported. What a schedule asked for
 * never writes at the provider: pausing and deleting one is in schedules.test.ts.
 */

const installation = useInstallation();
let world: Northwind;
let run: Run;
let writing: ReturnType<typeof openWriting>;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await beginRestore(installation, world);
  writing = openWriting(installation, run);
});

const holdWrites = () =>
  installation.control.setFaults(world.contoso.directoryId, [{ kind: "hold", method: "POST" }]);
const nextWrite = () =>
  installation.sandbox.requests.next(({ method, kind }) => method === "POST" && kind === "graph");
const letGo = () => installation.control.clearFaults(world.contoso.directoryId);

async function writes(): Promise<number> {
  const asked = await installation.control.requests(world.contoso.directoryId);
  return asked.filter(({ method, kind }) => method !== "GET" && kind === "graph").length;
}

function asOlivia() {
  return { actor: world.olivia, workspaceId: world.northwind.id, userId: world.omar.id };
}

describe.each(Object.entries(ways))("%s", (_name, { revoke, reason }) => {
  test("returns after the call on the wire has been answered, says so, and no other call follows", async () => {
    await holdWrites();
    const arrived = nextWrite();
    const call = follow(writing.create("first"));
    await arrived;
    const revocation = follow(revoke(installation.db, world));
    // It is committed: the run would be denied its next effect. But it has not returned.
    await until(async () => (await findDenied(installation.db, [run])).has(run.id));
    expect({ call: call.done, revocation: revocation.done }).toEqual({ call: false, revocation: false });
    await letGo();
    expect(await revocation.result).toEqual({ done: 1, failed: 0, unknown: 0 });
    expect(await call.result).toMatchObject({ state: "done" });
    const before = await writes();
    await expect(writing.create("second")).rejects.toThrow(RunStopped);
    expect(await writes()).toBe(before);
    expect(await getRun(installation.db, run.id)).toMatchObject({
      outcome: "blocked",
      reasonCode: reason,
      tally: { done: 1 },
      effectsDone: 1,
    });
  });
});

describe("control", () => {
  test.each(Object.entries(ways))(
    "%s: a gate right before the call, without an intent, sends after it has returned",
    async (_name, { revoke }) => {
      const { db, worker } = installation;
      const { writer } = await openProvider(worker, world.connection.id);
      const gated = await db.transaction((tx) => checkpoint(tx, run));
      expect(gated).toMatchObject({ kind: "allowed" });
      expect(await revoke(db, world)).toEqual(nothingDrained);
      expect((await findDenied(db, [run])).has(run.id)).toBe(true);
      await writer.write(creationOf(worker, "late").write, crypto.randomUUID(), within(5_000));
      expect(await writes()).toBe(1);
    },
  );

  test("a gate once at the start sends everything after the revocation returned", async () => {
    const { db, worker } = installation;
    const { writer } = await openProvider(worker, world.connection.id);
    await removeMember(db, asOlivia());
    for (const name of ["a", "b", "c"])
      await writer.write(creationOf(worker, name).write, crypto.randomUUID(), within(5_000));
    expect(await writes()).toBe(3);
  });
});

test("a call that hangs is cut off at its deadline, and the revocation returns then", async () => {
  const { db } = installation;
  // The verification, and with it the authority for any call, ends in a second and a half.
  await db.query(
    "update provider_connections set verified_at = clock_timestamp() - interval '24 hours' + interval '1.5 seconds'",
  );
  await holdWrites();
  const arrived = nextWrite();
  const call = follow(writing.create("hung"));
  await arrived;
  const { drained } = await removeMember(db, asOlivia());
  expect(drained.done).toBe(0);
  expect(drained.failed + drained.unknown).toBe(1);
  await expect(call.result).rejects.toThrow(RunStopped);
  await letGo();
});

test("calls that were intended under the new state of things are not waited for", async () => {
  const { db } = installation;
  const underWay = await raiseAndList();
  await holdWrites();
  const arrived = nextWrite();
  const call = follow(writing.create("later"));
  await arrived;
  expect(await drainWrites(db, underWay)).toEqual(nothingDrained);
  expect(call.done).toBe(false);
  await letGo();
  expect(await call.result).toMatchObject({ state: "done" });
});

test("a call that was under way when the change was made is told of, however soon after it has ended", async () => {
  const { db } = installation;
  await holdWrites();
  const arrived = nextWrite();
  const call = follow(writing.create("soon"));
  await arrived;
  const underWay = await raiseAndList();
  await letGo();
  expect(await call.result).toMatchObject({ state: "done" });
  expect(await drainWrites(db, underWay)).toEqual({ ...nothingDrained, done: 1 });
});

/** A change of what is the initiator's, as the triggers note it, with the calls it has to wait for. */
function raiseAndList(): Promise<UnderWay[]> {
  return installation.db.transaction(async (tx) => {
    await tx.query("select authority_lock('{}', array[authority_key('user', $1)])", [world.omar.id]);
    await tx.query("select authority_raise(array[authority_key('user', $1)], '{}')", [world.omar.id]);
    return listUnderWay(tx);
  });
}

test("an edit of a role that takes nothing away waits for no call, and stops none", async () => {
  const { db } = installation;
  const { id: roleId } = await getRole(db, world.northwind, ownRole);
  await holdWrites();
  const arrived = nextWrite();
  const call = follow(writing.create("meanwhile"));
  await arrived;
  const { drained } = await editRole(db, { ...asOlivia(), roleId }, { name: "Desk", with: ["audit.export"] });
  expect(drained).toEqual(nothingDrained);
  expect(call.done).toBe(false);
  await letGo();
  expect(await call.result).toMatchObject({ state: "done" });
  expect(await writing.create("next")).toMatchObject({ state: "done" });
});

test.each([
  ["the person's own, which the change names", () => ({ kind: "user", id: world.omar.id })],
  // What is only found out by the rows that are touched: the change names no tenant.
  ["one that the change takes as it goes", () => ({ kind: "connection", id: world.connection.id })],
])(
  "a worker's transaction that hangs with a lock is ended, and the audit trail says so: %s",
  async (_name, key) => {
    const { db, url } = installation;
    const { kind, id } = key();
    const before = await listEnded();
    const session = await openSession(url);
    await session.query("begin; set local application_name = 'countersign gate'");
    await session.query("select authority_share(array[authority_key($1, $2)])", [kind, id]);
    const ended = new Promise((resolve) => session.once("error", resolve));
    await changeAuthority(db, [{ kind: "user", id: world.omar.id }], async (tx) => {
      await tx.query("delete from role_assignments where user_id = $1", [world.omar.id]);
      await tx.query("update provider_connections set status = 'unverified' where id = $1", [
        world.connection.id,
      ]);
    });
    await ended;
    expect((await listEnded()).slice(before.length)).toMatchObject([{ details: { backends: 1 } }]);
  },
);

function listEnded(): Promise<object[]> {
  return installation.db.query(
    "select details from audit_events where action = 'authority.hung_gate_ended' order by id",
  );
}

test("but never another change of authority: it is waited for", async () => {
  const { db, url } = installation;
  const session = await openSession(url);
  await session.query("begin; set local application_name = 'countersign revocation'");
  await session.query("select authority_lock('{}', array[authority_key('user', $1)])", [world.omar.id]);
  const removal = follow(removeMember(db, asOlivia()));
  // It gives up waiting and tries again: by then a hung gate would have been ended.
  const first = await waitingRevocation();
  await until(async () => (await waitingRevocation()) !== first);
  expect(removal.done).toBe(false);
  await session.query("commit");
  await removal.result;
  await session.end();
});

/** When the change of authority that waits for a lock began, as soon as one does. */
async function waitingRevocation(): Promise<string> {
  let began = "";
  await until(async () => {
    const [row] = await installation.db.query<{ began: string }>(
      `select xact_start::text as began from pg_stat_activity
       where datname = current_database() and application_name = 'countersign revocation'
         and wait_event_type = 'Lock'`,
    );
    began = row?.began ?? "";
    return began !== "";
  });
  return began;
}
