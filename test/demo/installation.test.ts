import { expect, test } from "@jest/globals";
import { openGiven } from "../../server/demo/demoDatabase.ts";
import { seed } from "../../server/demo/seed.ts";
import { useDatabase } from "../helpers/database.ts";
import { createWorkspace } from "../helpers/factories.ts";
import { credentialKeys } from "../helpers/queue.ts";

const database = useDatabase();

test("an installation that somebody uses is left alone, demo data in it or not", async () => {
  await seed(database.db, credentialKeys);
  await createWorkspace(database.db, { name: "A real customer" });
  for (const fresh of [false, true])
    await expect(openGiven(database.url, fresh)).rejects.toThrow("holds something else than a demo");
  expect(await database.db.query("select 1 from workspaces")).toHaveLength(3);
});
