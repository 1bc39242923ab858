import { expect, test } from "@jest/globals";
import { useDatabase } from "../helpers/database.ts";

const database = useDatabase();

test("a transaction that throws leaves nothing behind and its connection is usable again", async () => {
  const { db } = database;
  await expect(
    db.transaction(async (tx) => {
      await tx.query("insert into authority_epochs values (1, 1, '1')");
      throw new Error("in the middle");
    }),
  ).rejects.toThrow("in the middle");
  expect(await db.query("select * from authority_epochs")).toEqual([]);
});

test("a transaction is READ COMMITTED even where the database defaults to another level", async () => {
  const { db } = database;
  await db.query("alter role current_user set default_transaction_isolation = 'repeatable read'");
  try {
    const level = await db.transaction((tx) =>
      tx.query<{ transaction_isolation: string }>("show transaction_isolation"),
    );
    expect(level).toEqual([{ transaction_isolation: "read committed" }]);
  } finally {
    await db.query("alter role current_user reset default_transaction_isolation");
  }
});

test("no function has a parsed body that uses a table's row type: PostgreSQL 15 could not alter that table", async () => {
  const parsed = await database.db.query<{ proname: string }>(
    `select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = 'public' and p.prosqlbody is not null and exists (
       select 1 from unnest(p.proargtypes) as argument join pg_class c on c.reltype = argument)`,
  );
  expect(parsed).toEqual([]);
});

test("a transaction with a failed statement that nobody heeded is not taken for committed", async () => {
  const { db } = database;
  const careless = db.transaction(async (tx) => {
    await tx.query("insert into authority_epochs values (1, 1, '1')");
    await tx.query("select 1 / 0").catch(() => {});
    return "done";
  });
  await expect(careless).rejects.toThrow("was not committed");
  expect(await db.query("select * from authority_epochs")).toEqual([]);
});

test("a named statement is planned once for a connection, and answers anew each time", async () => {
  const { db } = database;
  const [kept, seen] = await db.transaction(async (tx) => {
    const count = () =>
      tx.query<{ n: number }>(
        "select count(*)::integer as n from authority_epochs where key = $1",
        [7],
        "count",
      );
    const before = await count();
    // By another session, committed meanwhile: the plan is kept, what it sees is not.
    await db.query("insert into authority_epochs values (7, 1, '1')");
    const after = await count();
    const plans = await tx.query("select 1 from pg_prepared_statements where name = 'count'");
    return [plans.length, [before[0]?.n, after[0]?.n]];
  });
  await db.query("delete from authority_epochs");
  expect({ kept, seen }).toEqual({ kept: 1, seen: [0, 1] });
});
