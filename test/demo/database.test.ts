import { expect, test } from "@jest/globals";
import { openGiven } from "../../server/demo/demoDatabase.ts";
import { Refused } from "../../server/demo/refused.ts";
import { seed } from "../../server/demo/seed.ts";
import { useDatabase } from "../helpers/database.ts";
import { credentialKeys } from "../helpers/queue.ts";

const database = useDatabase();

test("an empty database is taken, by one demo at a time", async () => {
  const first = await openGiven(database.url, false);
  await expect(openGiven(database.url, false)).rejects.toThrow(
    "Another demo is already running on the database",
  );
  await first.stop();
  await (await openGiven(database.url, false)).stop();
});

test("what a demo has seeded is taken again, and emptied only when asked to start over", async () => {
  await seed(database.db, credentialKeys);
  await (await openGiven(database.url, false)).stop();
  expect(await tables()).toContain("workspaces");
  await (await openGiven(database.url, true)).stop();
  expect(await tables()).toEqual([]);
});

test("a database with other tables is left alone", async () => {
  await database.db.query("create table invoices (id integer)");
  await expect(openGiven(database.url, true)).rejects.toThrow(Refused);
  expect(await tables()).toEqual(["invoices"]);
});

test("a database that cannot be reached is said in one line", async () => {
  await expect(openGiven("postgres://nobody:x@127.0.0.1:1/x", false)).rejects.toThrow(
    /^DATABASE_URL cannot be reached: [^\n]+$/,
  );
});

async function tables(): Promise<string[]> {
  const rows = await database.db.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' order by 1",
  );
  return rows.map(({ name }) => name);
}
