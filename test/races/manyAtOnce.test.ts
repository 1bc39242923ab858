import { beforeEach, expect, test } from "@jest/globals";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { changeAuthority } from "../../server/domain/revocation/changeAuthority.ts";
import { beginSync } from "../helpers/begun.ts";
import { createMember, createWorkspace } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, holdsExclusive, openSession, untilSomebodyWaits } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";

/** Revocations of more than there are locks for, and of several keys at once. */

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

test("a bulk revocation of 50,000 members takes a bounded number of locks, the workspace's among them", async () => {
  const { db, url } = installation;
  const crowd = await createWorkspace(db);
  await db.query(
    `with people as (
       insert into users (id, email) select gen_random_uuid(), 'crowd-' || n || '@example.com'
       from generate_series(1, 50000) n returning id)
     insert into memberships (workspace_id, user_id) select $1, id from people`,
    [crowd.id],
  );
  const session = await openSession(url);
  await session.query("begin");
  await session.query("delete from memberships where workspace_id = $1", [crowd.id]);
  const [locks] = await db.query<{ n: number }>(
    "select count(*)::integer as n from pg_locks where pid = $1 and locktype = 'advisory'",
    [session.pid],
  );
  expect(locks?.n).toBeLessThanOrEqual(501);
  expect(await holdsExclusive(db, session.pid, "workspace", crowd.id)).toBe(true);
  await session.query("rollback");
  await session.end();
});

test("deleting more backups than there are locks for takes a key that a restore to any other tenant holds", async () => {
  const { db, url } = installation;
  const { northwind, contoso } = world;
  await db.query(
    `insert into backup_sets (id, workspace_id, tenant_id)
     select gen_random_uuid(), $1, $2 from generate_series(1, 501)`,
    [northwind.id, contoso.id],
  );
  const session = await openSession(url);
  await session.query("begin");
  await session.query("delete from backup_sets where tenant_id = $1", [contoso.id]);
  expect(await holdsExclusive(db, session.pid, "workspace", northwind.id)).toBe(true);
  await session.query("rollback");
  await session.end();
});

test("a revocation that escalated to the workspace's key is waited for by each of its runs", async () => {
  const { db, url } = installation;
  const run = await beginSync(installation, world);
  await db.query(
    `with people as (
       insert into users (id, email) select gen_random_uuid(), 'many-' || n || '-' || md5(random()::text) || '@example.com'
       from generate_series(1, 600) n returning id)
     insert into memberships (workspace_id, user_id) select $1, id from people`,
    [world.northwind.id],
  );
  const session = await openSession(url);
  await session.query("begin");
  await session.query("delete from memberships where workspace_id = $1", [world.northwind.id]);
  expect(await holdsExclusive(db, session.pid, "workspace", world.northwind.id)).toBe(true);
  const effect = follow(
    runEffect(db, run, { name: "late", perAttempt: false }, async () => ({ items: 1, counts: {} })),
  );
  await untilSomebodyWaits(db);
  await session.query("commit");
  await expect(effect.result).rejects.toThrow("authority ended");
  await session.end();
});

test("two revocations of the same two people in opposite order both succeed", async () => {
  const { db } = installation;
  const mia = await createMember(db, { workspace: world.northwind, role: "manager" });
  const pair = [world.omar.id, mia.id];
  const disable = (ids: string[]) =>
    changeAuthority(
      db,
      ids.map((id) => ({ kind: "user" as const, id })),
      async (tx) => {
        for (const id of ids) await tx.query("update users set status = 'disabled' where id = $1", [id]);
      },
    );
  await Promise.all(Array.from({ length: 10 }, (_, n) => disable(n % 2 === 0 ? pair : [...pair].reverse())));
  const rows = await db.query("select 1 from users where id = any ($1) and status = 'disabled'", [pair]);
  expect(rows).toHaveLength(2);
});

test("control: the same by hand, without locks taken up front, deadlocks", async () => {
  const { db, url } = installation;
  const mia = await createMember(db, { workspace: world.northwind, role: "manager" });
  const [one, two] = [await openSession(url), await openSession(url)];
  const disable = "update users set status = 'disabled' where id = $1";
  for (const session of [one, two]) await session.query("begin");
  await one.query(disable, [world.omar.id]);
  await two.query(disable, [mia.id]);
  const crossed = await Promise.allSettled([
    one.query(disable, [mia.id]),
    two.query(disable, [world.omar.id]),
  ]);
  expect(crossed.filter(({ status }) => status === "rejected")).toMatchObject([
    { reason: { code: "40P01" } },
  ]);
  for (const session of [one, two]) {
    await session.query("rollback");
    await session.end();
  }
});
