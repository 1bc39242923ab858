import { beforeEach, describe, expect, test } from "@jest/globals";
import { scheduleTick } from "../../jobs/maintenance/scheduleTick.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { RunStopped, runEffect } from "../../server/domain/operations/runEffect.ts";
import { deleteSchedule, pauseSchedule } from "../../server/domain/schedules/pauseSchedule.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, makeDoor, openSession, untilSomebodyWaits } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../helpers/records.ts";
import { createSchedule, listRunsOfSchedule } from "../helpers/schedules.ts";
import { checkThenAct, createUnprotected } from "./naive.ts";

/** Pausing or deleting a schedule takes the authority of its runs away, like any other way of revoking. */

const installation = useInstallation();
const due = new Date("2031-06-02T12:00:00Z");
let world: Northwind;
let schedule: { id: string };
let run: Run;

beforeEach(async () => {
  await installation.db.query("delete from schedules");
  world = await seedNorthwind(installation, { policies: 0 });
  schedule = await newSchedule();
  run = await beginRunOf(schedule);
});

const ways: Record<string, { sql: string; verb: () => Promise<unknown>; finding: string }> = {
  "schedule paused": {
    sql: "update schedules set status = 'paused' where id = $1",
    verb: () => pauseSchedule(installation.db, { ...byOlivia(), note: "" }),
    finding: "its schedule is paused",
  },
  "schedule deleted": {
    sql: "delete from schedules where id = $1",
    verb: () => deleteSchedule(installation.db, byOlivia()),
    finding: "its schedule was deleted",
  },
};

const key = (name: string) => ({ name, perAttempt: false });
const nothing = async () => ({ items: 1, counts: {} });

describe.each(Object.entries(ways))("%s", (_name, way) => {
  test("in mid-run: an effect that began first is waited for, and the next one does not happen", async () => {
    const { db } = installation;
    const door = makeDoor();
    const effect = follow(
      runEffect(db, run, key("first"), async () => {
        await door.wait();
        return { items: 1, counts: {} };
      }),
    );
    await door.reached;
    const revoked = follow(way.verb());
    await untilSomebodyWaits(db);
    expect({ effect: effect.done, revoked: revoked.done }).toEqual({ effect: false, revoked: false });
    door.open();
    await Promise.all([revoked.result, effect.result]);
    await expect(runEffect(db, run, key("second"), nothing)).rejects.toThrow(RunStopped);
    expect(await effectsOf(run)).toEqual(["first"]);
    expect(await getRun(db, run.id)).toMatchObject({
      outcome: "blocked",
      reasonCode: "system_authority_not_allowed",
      effectsDone: 1,
    });
    expect((await listDecisions(db, run.id)).at(-1)).toMatchObject({
      phase: "checkpoint",
      checks: { capability: { result: "failed", value: way.finding } },
    });
    expect(await listNotifications(db, run.id)).toEqual([]);
  });

  test("by hand, while an effect is on its way: the effect waits and does not happen", async () => {
    const { db, url } = installation;
    const session = await openSession(url);
    await session.query("begin");
    await session.query(way.sql, [schedule.id]);
    const effect = follow(runEffect(db, run, key("late"), nothing));
    await untilSomebodyWaits(db);
    await session.query("commit");
    await expect(effect.result).rejects.toThrow(RunStopped);
    expect(await effectsOf(run)).toEqual([]);
    expect((await listActions(db, run.id)).filter((action) => action === "run.blocked")).toHaveLength(1);
    await session.end();
  });

  test("while a run waits to begin: it does not begin", async () => {
    const { db, url, worker } = installation;
    const other = await newSchedule();
    const waiting = await askFor(other);
    const session = await openSession(url);
    await session.query("begin");
    await session.query(way.sql, [other.id]);
    const beginning = follow(worker.begin({ operation: "inventory.sync", runId: waiting, jobId: "other" }));
    await untilSomebodyWaits(db);
    await session.query("commit");
    expect(await beginning.result).toEqual({ kind: "blocked" });
    expect(await getRun(db, waiting)).toMatchObject({
      reasonCode: "system_authority_not_allowed",
      startedAt: null,
    });
    await session.end();
  });

  test("while the tick is about to ask: no run is accepted once it has returned", async () => {
    const { db, url, worker } = installation;
    const other = await newSchedule();
    const session = await openSession(url);
    await session.query("begin");
    await session.query(way.sql, [other.id]);
    const ticking = follow(scheduleTick(worker, { now: due, expiresInHours: 24 }));
    await untilSomebodyWaits(db);
    await session.query("commit");
    await ticking.result;
    expect(await listRunsOfSchedule(db, other.id)).toEqual([]);
    await session.end();
  });

  test("control: check-then-act without locks has its effect after it had returned", async () => {
    const { db, url } = installation;
    await db.query(createUnprotected);
    const acting = await openSession(url);
    let revokedAt = new Date(0);
    const did = await checkThenAct(acting, run, async () => {
      await way.verb();
      const [clock] = await db.query<{ now: Date }>("select clock_timestamp() as now");
      revokedAt = clock?.now ?? revokedAt;
    });
    const late = await db.query("select 1 from unprotected_effects where run_id = $1 and at > $2", [
      run.id,
      revokedAt,
    ]);
    expect(did).toBe("acted");
    expect(late).toHaveLength(1);
    await acting.end();
  });

  test("control: were schedules not fenced, an effect would not wait for it and commit after it", async () => {
    const { db, url } = installation;
    await db.query("alter table schedules disable trigger user");
    try {
      const session = await openSession(url);
      await session.query("begin");
      const door = makeDoor();
      const effect = follow(
        runEffect(db, run, key("violating"), async () => {
          await door.wait();
          return { items: 1, counts: {} };
        }),
      );
      await door.reached;
      await session.query(way.sql, [schedule.id]);
      await session.query("commit");
      expect(effect.done).toBe(false);
      door.open();
      await effect.result;
      expect(await effectsOf(run)).toEqual(["violating"]);
      await session.end();
    } finally {
      await db.query("alter table schedules enable always trigger fence_insert");
      await db.query("alter table schedules enable always trigger fence_update");
      await db.query("alter table schedules enable always trigger fence_delete");
      await db.query("alter table schedules enable always trigger fence_truncate");
    }
  });
});

test("a run cannot be given another schedule, or lose its own", async () => {
  const { db } = installation;
  const other = await newSchedule();
  for (const id of [other.id, null])
    await expect(
      db.query("update operation_runs set schedule_id = $2 where id = $1", [run.id, id]),
    ).rejects.toMatchObject({ code: "42501" });
});

function byOlivia() {
  return { actor: world.olivia, workspaceId: world.northwind.id, scheduleId: schedule.id };
}

function newSchedule(): Promise<{ id: string }> {
  const { northwind: workspace, contoso: tenant, omar: steward } = world;
  return createSchedule(installation.db, { workspace, tenant, steward, nextRunAt: due });
}

async function askFor({ id }: { id: string }): Promise<string> {
  const { db, worker } = installation;
  await scheduleTick(worker, { now: due, expiresInHours: 24 });
  const [asked] = await listRunsOfSchedule(db, id);
  if (asked === undefined) throw new Error("The schedule asked for no run.");
  return asked;
}

async function beginRunOf(of: { id: string }): Promise<Run> {
  const runId = await askFor(of);
  const answer = await installation.worker.begin({ operation: "inventory.sync", runId, jobId: "job" });
  if (answer.kind !== "authorized") throw new Error(`The run did not begin: ${answer.kind}`);
  return answer.run;
}

async function effectsOf({ id }: Run): Promise<string[]> {
  const rows = await installation.db.query<{ key: string }>(
    "select key from effects where run_id = $1 order by recorded_at",
    [id],
  );
  return rows.map((row) => row.key);
}
