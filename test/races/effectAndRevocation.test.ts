import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Run } from "../../server/domain/operations/run.ts";
import { RunStopped, runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, makeDoor, openSession, untilSomebodyWaits } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../helpers/records.ts";
import { checkThenAct, createUnprotected } from "./naive.ts";
import { revocations } from "./revocations.ts";

const installation = useInstallation();
let world: Northwind;
let run: Run;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await beginSync(installation, world);
});

const key = (name: string) => ({ name, perAttempt: false });
const nothing = async () => ({ items: 1, counts: {} });

describe.each(Object.entries(revocations))("%s", (_name, revocation) => {
  test("an effect that began first is committed before the revocation returns, and no other follows", async () => {
    const { db, url } = installation;
    const door = makeDoor();
    const effect = follow(
      runEffect(db, run, key("first"), async () => {
        await door.wait();
        return { items: 1, counts: {} };
      }),
    );
    await door.reached;
    const session = await openSession(url);
    const revoked = follow(session.query(revocation.sql, revocation.values(world)));
    await untilSomebodyWaits(db, session.pid);
    expect({ effect: effect.done, revoked: revoked.done }).toEqual({ effect: false, revoked: false });
    door.open();
    await revoked.result;
    await effect.result;
    expect(await effectsOf(run)).toEqual(["first"]);
    await expect(runEffect(db, run, key("second"), nothing)).rejects.toThrow(RunStopped);
    expect(await effectsOf(run)).toEqual(["first"]);
    expect(await getRun(db, run.id)).toMatchObject({
      outcome: "blocked",
      reasonCode: revocation.reason,
      effectsDone: 1,
    });
    await session.end();
  });

  test("a revocation that began first is waited for, and the effect does not happen", async () => {
    const { db, url } = installation;
    const session = await openSession(url);
    await session.query("begin");
    await session.query(revocation.sql, revocation.values(world));
    const effect = follow(runEffect(db, run, key("late"), nothing));
    await untilSomebodyWaits(db);
    await session.query("commit");
    await expect(effect.result).rejects.toThrow(RunStopped);
    expect(await effectsOf(run)).toEqual([]);
    expect(await listDecisions(db, run.id)).toMatchObject([
      { phase: "begin", verdict: "allowed" },
      { phase: "checkpoint", verdict: "denied", reasonCode: revocation.reason },
    ]);
    expect((await listActions(db, run.id)).filter((action) => action === "run.blocked")).toHaveLength(1);
    const told = revocation.reason === "initiator_missing" ? 0 : 1;
    expect(await listNotifications(db, run.id)).toHaveLength(told);
    await session.end();
  });

  test("a run that waits to begin does not begin under what is being revoked", async () => {
    const { db, url, worker } = installation;
    const waiting = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    const session = await openSession(url);
    await session.query("begin");
    await session.query(revocation.sql, revocation.values(world));
    const beginning = follow(worker.begin({ operation: "inventory.sync", runId: waiting, jobId: "job" }));
    await untilSomebodyWaits(db);
    expect(await getRun(db, waiting)).toMatchObject({ status: "queued", startedAt: null });
    await session.query("commit");
    expect(await beginning.result).toEqual({ kind: "blocked" });
    expect(await getRun(db, waiting)).toMatchObject({ reasonCode: revocation.reason, startedAt: null });
    await session.end();
  });

  test("control: check-then-act without locks has its effect after the revocation returned", async () => {
    const { db, url } = installation;
    await db.query(createUnprotected);
    const [acting, revoking] = [await openSession(url), await openSession(url)];
    let revokedAt = new Date(0);
    const did = await checkThenAct(acting, run, async () => {
      await revoking.query(revocation.sql, revocation.values(world));
      const { rows } = await revoking.query<{ now: Date }>("select clock_timestamp() as now");
      revokedAt = rows[0]?.now ?? revokedAt;
    });
    const [late] = await db.query<{ at: Date }>(
      "select at from unprotected_effects where run_id = $1 and at > $2",
      [run.id, revokedAt],
    );
    expect(did).toBe("acted");
    expect(late).toBeDefined();
    await Promise.all([acting.end(), revoking.end()]);
  });
});

async function effectsOf({ id }: Run): Promise<string[]> {
  const rows = await installation.db.query<{ key: string }>(
    "select key from effects where run_id = $1 order by recorded_at",
    [id],
  );
  return rows.map((row) => row.key);
}
