import { beforeAll, expect, test } from "@jest/globals";
import { fabrikamHq, felix, litware, mia, olivia, type Person } from "../../server/demo/seed/cast.ts";
import { seed } from "../../server/demo/seed.ts";
import { askDue, listDue } from "../../server/domain/schedules/askDue.ts";
import { makeApp, signIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { credentialKeys } from "../helpers/queue.ts";
import { getRun, listNotifications } from "../helpers/records.ts";

/** What the demo tells of the days before besides syncs, on the pages where people find it. */

const database = useDatabase();
beforeAll(() => seed(database.db, credentialKeys));

test("each tenant that can be written to has two backups or more, of all that its directory holds", async () => {
  const sets = await database.db.query<{ tenant: string; sets: number; items: number }>(
    `select tenant_name as tenant, count(*)::integer as sets, max(items) as items from backup_set_details
     where kind = 'backup' and completed_at < now() group by 1 order by 1`,
  );
  expect(sets).toEqual([
    { tenant: "Adatum Health", sets: 2, items: 51 },
    { tenant: "Contoso Retail", sets: expect.any(Number), items: 63 },
  ]);
  expect(sets[1]?.sets).toBeGreaterThanOrEqual(2);
  const kept = await database.db.query(
    `select d.set_id from backup_set_details d
     where d.items <> (select count(*) from backup_items i where i.set_id = d.set_id)
       or not exists (select 1 from operation_runs r where r.id = d.set_id and r.outcome in ('succeeded', 'blocked'))`,
  );
  expect(kept).toEqual([]);
  expect(await textOf(mia, "/admin/backups")).toContain("Contoso Retail");
});

test("a restore was stopped half-way when its initiator lost the right, and another undid it", async () => {
  const [stopped, undone] = await restores();
  const page = await textOf(olivia, `/admin/operations/${stopped?.id}`);
  expect(page).toContain("Blocked by policy: Hugo Lindqvist no longer has restore.execute");
  expect(page).toContain("12 of 40 items had been changed before access was revoked");
  expect(page).not.toContain("Not all of it was written");
  const after = await textOf(mia, `/admin/operations/${undone?.id}`);
  expect(after).toContain("Succeeded");
  expect(after).toContain("12");
  const results = await database.db.query(
    `select p.run_id = $1 as "isStopped", i.result, count(*)::integer as n from restore_items i
     join restore_plans p on p.id = i.plan_id group by 1, 2 order by 1, 2`,
    [stopped?.id],
  );
  expect(results).toEqual([
    { isStopped: false, result: "updated", n: 12 },
    { isStopped: true, result: "unchanged", n: 16 },
    { isStopped: true, result: "updated", n: 12 },
    { isStopped: true, result: null, n: 12 },
  ]);
});

test("a run that was blocked was asked for again by somebody who may, and both pages say so", async () => {
  const [pair] = await database.db.query<{ id: string; earlier: string }>(
    "select id, rerun_of as earlier from operation_runs where rerun_of is not null",
  );
  expect(await textOf(olivia, `/admin/operations/${pair?.earlier}`)).toContain(
    `/admin/operations/${pair?.id}`,
  );
  expect(await textOf(olivia, `/admin/operations/${pair?.id}`)).toContain(
    `/admin/operations/${pair?.earlier}`,
  );
});

test("one schedule needs another steward, one is paused with its tenant", async () => {
  const page = await textOf(olivia, "/admin/schedules");
  expect(page).toContain('Theo Varga <span class="small"><strong>needs a new one</strong>');
  expect(page).toContain("Paused: tenant suspended");
  const [nightly = ""] = /<tr id="schedule-.*?<\/tr>/s.exec(page) ?? [];
  expect(nightly).toContain("Theo Varga");
  expect(nightly).toContain("Succeeded");
});

test("the first tick finds only the paused one due: its run is blocked, and nobody is notified", async () => {
  const due = await listDue(database.db, new Date(), null, 10);
  expect(due).toHaveLength(1);
  const [{ id } = { id: "" }] = due;
  expect(await askDue(database.db, id, { now: new Date(), expiresInHours: 24 })).toBe("asked");
  const [run] = await database.db.query<{ id: string }>(
    "select id from operation_runs where schedule_id = $1",
    [id],
  );
  expect(await getRun(database.db, run?.id ?? "")).toMatchObject({
    outcome: "blocked",
    reasonCode: "tenant_not_operable",
  });
  expect(await listNotifications(database.db, run?.id ?? "")).toEqual([]);
  expect(await textOf(olivia, "/admin/operations?outcome=blocked")).toContain(litware.name);
});

test("Fabrikam HQ's write gate says which permissions keep it closed", async () => {
  const page = await textOf(felix, `/admin/tenants/${fabrikamHq.id}`);
  expect(page).toContain("DeviceManagementConfiguration.ReadWrite.All");
});

function restores() {
  return database.db.query<{ id: string }>(
    "select id from operation_runs where operation = 'restore.execute' order by requested_at",
  );
}

/** Of the page as that person gets it, without its markup's line breaks. */
async function textOf(person: Person, address: string): Promise<string> {
  const browser = await signIn(makeApp(database.db), person.email);
  const answer = await browser.get(address);
  expect(answer.status).toBe(200);
  return answer.text.replace(/\s+/g, " ");
}
