import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type pg from "pg";
import { Tx } from "../../server/db/database.ts";
import { grantPass } from "../../server/domain/authority/gate.ts";
import { gateRuns } from "../../server/domain/operations/gateRuns.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { useInstallation } from "../helpers/installation.ts";
import { makeDoor, openSession, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";

/**
 * Whatever the code forgets, the database refuses to commit. Each case is run twice: as it is, and in the same
 * way with the backstop taken away, where the effect without authority must be seen to commit.
 */

const installation = useInstallation();
let world: Northwind;
let run: Run;
let session: pg.Client;

beforeAll(async () => {
  session = await openSession(installation.url);
});
afterAll(() => session.end());
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await beginSync(installation, world);
});

const insertEffect = `insert into effects (run_id, key, fencing_token, kind, state, authority_keys, epochs, valid_until)
  values ($1, 'smuggled', $2, 'rows', 'done', $3::bigint[], $4::bigint[], coalesce($5::timestamptz, 'infinity'))`;

/** Every way of doing it wrong: steps up to, not including, the commit. */
const mistakes: Record<string, () => Promise<void>> = {
  "an effect whose gate was forgotten": async () => {
    await session.query("begin");
    await insert([], []);
  },
  "an effect whose gate was in a savepoint that was rolled back": async () => {
    await session.query("begin");
    await session.query("savepoint gate");
    const pass = await gateAndPass();
    await session.query("rollback to savepoint gate");
    await insert(pass.keys, pass.epochs);
  },
  "an effect whose locks went with a savepoint, and a revocation in between": async () => {
    await session.query("begin");
    const pass = await passWithoutGate();
    await session.query("savepoint gate");
    await gateRuns(new Tx(session), [run.id], "checkpoint");
    await session.query("rollback to savepoint gate");
    await revoke();
    await insert(pass.keys, pass.epochs);
  },
  "an effect that took no locks, and a revocation in between": async () => {
    await session.query("begin");
    const pass = await passWithoutGate();
    await revoke();
    await insert(pass.keys, pass.epochs);
  },
  "an effect in a REPEATABLE READ transaction": async () => {
    await session.query("begin isolation level repeatable read");
    const pass = await passWithoutGate();
    await insert(pass.keys, pass.epochs);
  },
  "an effect under the keys of less than its run": async () => {
    await session.query("begin");
    const pass = await gateAndPass();
    await insert(pass.keys.slice(1), pass.epochs.slice(1));
  },
  "an effect with the token of an attempt that has been replaced": async () => {
    await session.query("begin");
    const pass = await passWithoutGate();
    await installation.db.query("update operation_runs set fencing_token = fencing_token + 1 where id = $1", [
      run.id,
    ]);
    await insert(pass.keys, pass.epochs);
  },
  "an effect of a run that has ended": async () => {
    await session.query("begin");
    const pass = await passWithoutGate();
    await installation.db.query(
      `update operation_runs set status = 'completed', outcome = 'cancelled', completed_at = now() where id = $1`,
      [run.id],
    );
    await insert(pass.keys, pass.epochs);
  },
  "an effect with the pass of another run": async () => {
    const other = await beginSync(installation, world, "another job");
    await session.query("begin");
    const pass = await gateAndPass(other);
    await insert(pass.keys, pass.epochs);
  },
  "an effect whose authority ended by the clock before the commit": async () => {
    await session.query("begin");
    const pass = await gateAndPass();
    const { rows } = await session.query<{ now: Date }>("select clock_timestamp() as now");
    await insert(pass.keys, pass.epochs, rows[0]?.now ?? null);
  },
};

describe.each(Object.entries(mistakes))("%s", (_name, mistake) => {
  test("is refused at commit", async () => {
    await expect(mistake().then(() => session.query("commit"))).rejects.toMatchObject({ code: "42501" });
    await session.query("rollback");
    expect(await smuggled()).toBe(0);
  });

  test("control: without the backstop it commits", async () => {
    await installation.db.query("alter table effects disable trigger effects_backstop");
    try {
      await mistake();
      await session.query("commit");
      expect(await smuggled()).toBe(1);
    } finally {
      await session.query("rollback");
      await installation.db.query("alter table effects enable always trigger effects_backstop");
    }
  });
});

test("an assignment that expires while its effect is under way ends the run before the effect", async () => {
  const { db } = installation;
  const door = makeDoor();
  // The database's clock decides; nothing here depends on how fast this test is.
  const [row] = await db.query<{ ends: Date }>(
    `update role_assignments set expires_at = clock_timestamp() + interval '300 milliseconds'
     where user_id = $1 returning expires_at as ends`,
    [world.omar.id],
  );
  const effect = runEffect(db, run, { name: "slow", perAttempt: false }, async () => {
    await door.wait();
    return { items: 1, counts: {} };
  });
  const refused = expect(effect).rejects.toThrow("authority ended");
  await Promise.race([door.reached, refused]);
  await until(async () => {
    const [now] = await db.query<{ over: boolean }>("select clock_timestamp() > $1 as over", [row?.ends]);
    return now?.over === true;
  });
  door.open();
  await refused;
  expect(await getRun(db, run.id)).toMatchObject({
    outcome: "blocked",
    reasonCode: "tenant_not_entitled",
    effectsDone: 0,
  });
});

test("an effect that takes away its own initiator's rights is refused and changes nothing", async () => {
  const { db } = installation;
  await expect(
    runEffect(db, run, { name: "suicidal", perAttempt: false }, async (tx) => {
      await tx.query("delete from memberships where user_id = $1", [world.omar.id]);
      return { items: 1, counts: {} };
    }),
  ).rejects.toThrow("only the authority its operation declares");
  expect(await db.query("select 1 from memberships where user_id = $1", [world.omar.id])).toHaveLength(1);
  expect(await getRun(db, run.id)).toMatchObject({ status: "running", effectsDone: 0 });
});

test("an effect that changes anybody's authority without declaring it is refused too", async () => {
  const { db } = installation;
  await expect(
    runEffect(db, run, { name: "promoting", perAttempt: false }, async (tx) => {
      await tx.query(
        `update role_assignments set role_id = (select id from roles where workspace_id = $1 and key = 'owner')
         where user_id = $2`,
        [world.northwind.id, world.olivia.id],
      );
      return { items: 1, counts: {} };
    }),
  ).rejects.toThrow("only the authority its operation declares");
});

async function gateAndPass(of: Run = run) {
  await gateRuns(new Tx(session), [of.id], "checkpoint");
  return grantPass(new Tx(session), of, []);
}

const passWithoutGate = () => grantPass(new Tx(session), run, []);

const insert = (keys: string[], epochs: string[], validUntil: Date | null = null) =>
  session.query(insertEffect, [run.id, run.fencingToken, keys, epochs, validUntil]);

async function revoke(): Promise<void> {
  await installation.db.query("delete from memberships where user_id = $1", [world.omar.id]);
}

async function smuggled(): Promise<number> {
  const rows = await installation.db.query("select 1 from effects where run_id = $1", [run.id]);
  return rows.length;
}
