import { beforeAll, expect, test } from "@jest/globals";
import { loadViewer, type Viewer } from "../../../server/domain/authority/viewer.ts";
import { countSchedulesFor, listSchedulesFor } from "../../../server/domain/schedules/listSchedulesFor.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createMember, createWorkspace } from "../../helpers/factories.ts";
import { plansOf } from "../../helpers/plans.ts";

/** With thousands of schedules nothing is asked anew for each of them, and their runs are left alone. */

const database = useDatabase();
const schedules = 4_000;
let viewer: Viewer;

beforeAll(async () => {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const olivia = await createMember(db, { workspace, role: "owner" });
  const mia = await createMember(db, { workspace, role: "manager" });
  await db.query(
    `with made as (
       insert into tenants (id, workspace_id, directory_id, lifecycle)
       select gen_random_uuid(), $1, gen_random_uuid(), 'active' from generate_series(1, 400) returning id),
     named as (
       insert into tenant_profiles (tenant_id, name) select id, 'Tenant ' || left(md5(id::text), 8) from made),
     planned as (
       insert into schedules (id, workspace_id, tenant_id, operation, target, cron, time_zone, steward_id,
         steward_name, status)
       select gen_random_uuid(), $1, made.id, 'inventory.sync', '{}', '0 * * * *', 'UTC',
         case when n % 2 = 0 then $2::uuid else $3::uuid end, 'S', case n when 7 then 'paused' else 'active' end
       from made, generate_series(1, 10) n returning id)
     insert into schedule_states (schedule_id, next_run_at, created_by_name)
     select id, now() + interval '1 hour', 'S' from planned`,
    [workspace.id, olivia.id, mia.id],
  );
  await db.query("analyze");
  const found = await loadViewer(db, olivia.id, workspace.id);
  if (found === undefined) throw new Error("Olivia is not there.");
  viewer = found;
});

const all = { kind: "all", operation: null, tenantId: null } as const;

test("a page, the next one and the counts go to no table once for each schedule", async () => {
  const ids = new Set<string>();
  const nodes = await plansOf(database.db, async (reader) => {
    const first = await listSchedulesFor(reader, viewer, { ...all, after: null });
    const second = await listSchedulesFor(reader, viewer, { ...all, after: first.next });
    for (const { id } of [...first.schedules, ...second.schedules]) ids.add(id);
    expect(await countSchedulesFor(reader, viewer)).toMatchObject({ all: schedules, paused: schedules / 10 });
  });
  expect(ids.size).toBe(100);
  const visits = new Map<string, number>();
  for (const { "Relation Name": table, "Actual Loops": loops } of nodes)
    if (table !== undefined) visits.set(table, (visits.get(table) ?? 0) + loops);
  expect(visits.get("schedules")).toBeGreaterThan(0);
  expect([...visits].filter(([, times]) => times > schedules / 2)).toEqual([]);
});
