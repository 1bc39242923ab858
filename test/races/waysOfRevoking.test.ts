import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { useInstallation } from "../helpers/installation.ts";
import { holdsExclusive, makeDoor, openSession } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

type Way = {
  sql: () => Promise<string> | string;
  values?: () => unknown[];
  touches: "user" | "tenant";
  /** The authority tables it reaches. */
  tables: string[];
};

const ways: Record<string, Way> = {
  "plain SQL": {
    sql: () => "update users set status = 'disabled' where id = $1",
    values: () => [world.omar.id],
    touches: "user",
    tables: ["users"],
  },
  "a cascade": {
    sql: () => "with gone as (delete from users where id = $1 returning id) select * from gone",
    values: () => [world.omar.id],
    touches: "user",
    tables: ["users", "memberships", "role_assignments"],
  },
  "an upsert that inserts": {
    sql: () =>
      `insert into tenant_holds (tenant_id, reason, placed_by_name) values ($1, 'now', 'psql')
       on conflict (tenant_id) do update set reason = excluded.reason`,
    values: () => [world.contoso.id],
    touches: "tenant",
    tables: ["tenant_holds"],
  },
  "an upsert that updates": {
    sql: () =>
      `insert into memberships (workspace_id, user_id, status) values ($1, $2, 'suspended')
       on conflict (workspace_id, user_id) do update set status = excluded.status`,
    values: () => [world.northwind.id, world.omar.id],
    touches: "user",
    tables: ["memberships"],
  },
  MERGE: {
    sql: () =>
      `merge into memberships m using (select $1::uuid as user_id) gone on m.user_id = gone.user_id
       when matched then delete`,
    values: () => [world.omar.id],
    touches: "user",
    tables: ["memberships", "role_assignments"],
  },
  COPY: {
    sql: () => {
      const directory = mkdtempSync(join(tmpdir(), "countersign-copy-"));
      chmodSync(directory, 0o755);
      const file = join(directory, "holds.csv");
      writeFileSync(file, `${world.contoso.id},copied,psql\n`);
      return `copy tenant_holds (tenant_id, reason, placed_by_name) from '${file}' with (format csv)`;
    },
    touches: "tenant",
    tables: ["tenant_holds"],
  },
};

describe.each(Object.entries(ways))("%s", (_name, way) => {
  test("takes the exclusive lock of what it touches and raises its epoch once", async () => {
    const { db, url } = installation;
    const subject = way.touches === "user" ? world.omar.id : world.contoso.id;
    const before = await epochOf(way.touches, subject);
    const session = await openSession(url);
    await session.query("begin");
    await session.query(await way.sql(), way.values?.() ?? []);
    expect(await holdsExclusive(db, session.pid, way.touches, subject)).toBe(true);
    await session.query("commit");
    expect(await epochOf(way.touches, subject)).toBe(before + 1);
    expect(await holdsExclusive(db, session.pid, way.touches, subject)).toBe(false);
    await session.end();
  });

  test("control: where the tables are not fenced, it waits for nobody, and an effect is committed after it", async () => {
    const { db, url } = installation;
    const run = await beginSync(installation, world);
    const door = makeDoor();
    const effect = runEffect(db, run, { name: "late", perAttempt: false }, async () => {
      await door.wait();
      return { items: 1, counts: {} };
    });
    await door.reached;
    const session = await openSession(url);
    await setFences(way.tables, "disable trigger");
    try {
      await session.query(await way.sql(), way.values?.() ?? []);
    } finally {
      await setFences(way.tables, "enable always trigger");
      await session.end();
    }
    door.open();
    await effect;
    expect(await getRun(db, run.id)).toMatchObject({ effectsDone: 1 });
  });
});

test.each([
  "workspaces",
  "users",
  "memberships",
  "roles",
  "role_assignments",
  "tenants",
  "tenant_holds",
  "provider_connections",
  "workspace_holds",
  "schedules",
  "backup_sets",
])("TRUNCATE of %s is refused", async (table) => {
  await expect(installation.db.query(`truncate ${table} cascade`)).rejects.toMatchObject({ code: "42501" });
});

test("the columns that keys derive from cannot be changed", async () => {
  await expect(
    installation.db.query("update role_assignments set user_id = $1 where user_id = $2", [
      world.olivia.id,
      world.omar.id,
    ]),
  ).rejects.toMatchObject({ code: "42501" });
});

test("a restored replica's session (session_replication_role) cannot slip past the fences", async () => {
  const { db } = installation;
  const session = await openSession(installation.url);
  await session.query("begin");
  await session.query("set local session_replication_role = replica");
  await session.query("update users set status = 'disabled' where id = $1", [world.omar.id]);
  expect(await holdsExclusive(db, session.pid, "user", world.omar.id)).toBe(true);
  await session.query("rollback");
  await session.end();
});

async function setFences(
  tables: string[],
  change: "disable trigger" | "enable always trigger",
): Promise<void> {
  for (const table of tables)
    for (const event of ["insert", "update", "delete"])
      await installation.db.query(`alter table ${table} ${change} fence_${event}`);
}

async function epochOf(kind: string, id: string): Promise<number> {
  const [row] = await installation.db.query<{ epoch: number }>(
    "select epoch::integer as epoch from authority_epochs where key = authority_key($1, $2)",
    [kind, id],
  );
  return row?.epoch ?? 0;
}
