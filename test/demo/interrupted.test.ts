import { expect, test } from "@jest/globals";
import { insertCast } from "../../server/demo/seed/insertCast.ts";
import { insertHistory } from "../../server/demo/seed/insertHistory.ts";
import { seed } from "../../server/demo/seed.ts";
import { useDatabase } from "../helpers/database.ts";
import { credentialKeys } from "../helpers/queue.ts";

const database = useDatabase();

test("a seed that was interrupted before its own runs is completed by the next start", async () => {
  const now = new Date();
  await database.db.transaction(async (tx) => {
    await insertCast(tx, credentialKeys, now);
    await insertHistory(tx, now);
  });
  expect(await seed(database.db, credentialKeys)).toBe(true);
  const items = await database.db.query("select 1 from inventory_items");
  expect(items.length).toBeGreaterThan(100);
  expect(await seed(database.db, credentialKeys)).toBe(false);
});
