import { expect, test } from "@jest/globals";
import { deleteUnusedSelections } from "../../../server/domain/retention/deleteOld.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createMember, createTenant, createWorkspace } from "../../helpers/factories.ts";
import { createSelection } from "../../helpers/inventory.ts";

const database = useDatabase();

test("selections that nobody confirmed go, those that a run works on stay", async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const tenant = await createTenant(db, { workspace });
  const by = await createMember(db, { workspace, role: "owner" });
  const { selection: unused } = await createSelection(db, { tenant, by });
  const { selection: used } = await createSelection(db, { tenant, by });
  await db.query("update bulk_selections set run_id = gen_random_uuid() where id = $1", [used]);
  expect(await deleteUnusedSelections(db, new Date(Date.now() - 60_000))).toBe(0);
  expect(await deleteUnusedSelections(db, new Date(Date.now() + 60_000))).toBe(1);
  const left = await db.query<{ id: string }>("select id from bulk_selections where tenant_id = $1", [
    tenant.id,
  ]);
  expect(left.map(({ id }) => id)).toEqual([used]);
  expect(await db.query("select 1 from bulk_items where selection_id = $1", [unused])).toEqual([]);
});
