import { beforeAll, expect, test } from "@jest/globals";
import { directories } from "../../server/demo/seed/directories.ts";
import { seed } from "../../server/demo/seed.ts";
import { makeApp, signIn } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import { credentialKeys } from "../helpers/queue.ts";

const database = useDatabase();
let took = 0;
beforeAll(async () => {
  const began = performance.now();
  await seed(database.db, credentialKeys);
  took = performance.now() - began;
});

test("it is quick", () => {
  expect(took).toBeLessThan(8_000);
});

test("who there is, and what each may do where", async () => {
  const rows = await database.db.query(
    `select u.email, w.slug, r.key, r.built_in as "builtIn", t.name as tenant
     from users u
     left join role_assignments a on a.user_id = u.id
     left join roles r on r.id = a.role_id
     left join workspaces w on w.id = a.workspace_id
     left join tenant_profiles t on t.tenant_id = a.tenant_id
     order by u.email`,
  );
  const northwind = { slug: "northwind", builtIn: true, tenant: null };
  expect(rows).toEqual([
    { email: "felix@fabrikam.example", ...northwind, slug: "fabrikam", key: "owner" },
    { email: "hugo@northwind.example", ...northwind, key: "sync-desk", builtIn: false },
    { email: "mia@northwind.example", ...northwind, key: "manager" },
    { email: "nadia@outside.example", slug: null, key: null, builtIn: null, tenant: null },
    { email: "olivia@northwind.example", ...northwind, key: "owner" },
    { email: "omar@northwind.example", ...northwind, key: "operator" },
    { email: "rita@northwind.example", ...northwind, key: "readonly" },
    { email: "sam@northwind.example", ...northwind, key: "operator", tenant: "Contoso Retail" },
  ]);
});

test("Hugo's role may sync and not see operations", async () => {
  const [role] = await database.db.query<{ capabilities: string[] }>(
    "select capabilities from roles where key = 'sync-desk'",
  );
  expect(role?.capabilities).toContain("inventory.sync");
  expect(role?.capabilities).not.toContain("operations.view");
});

test("everyone can sign in with the one password", async () => {
  const app = makeApp(database.db);
  for (const name of ["olivia@northwind.example", "felix@fabrikam.example", "nadia@outside.example"])
    await signIn(app, name, "countersign-demo");
});

test("the tenants, their lifecycles and how their connections stand", async () => {
  const rows = await database.db.query(
    `select p.name, w.slug, t.lifecycle, c.status, s.connection_id is not null as sealed
     from tenants t
     join tenant_profiles p on p.tenant_id = t.id
     join workspaces w on w.id = t.workspace_id
     join provider_connections c on c.tenant_id = t.id
     left join provider_credentials s on s.connection_id = c.id and s.version = c.credential_version
     order by p.name`,
  );
  const ready = { slug: "northwind", lifecycle: "active", status: "verified", sealed: true };
  expect(rows).toEqual([
    { ...ready, name: "Adatum Health" },
    { ...ready, name: "Contoso Retail" },
    { ...ready, name: "Fabrikam HQ", slug: "fabrikam" },
    { ...ready, name: "Litware", lifecycle: "suspended" },
    { ...ready, name: "Proseware", lifecycle: "onboarding", status: "unverified" },
    { ...ready, name: "Wingtip", lifecycle: "archived", status: "unverified", sealed: false },
  ]);
});

test("every tenant but the archived one has a directory with some dozens of policies", async () => {
  const rows = await database.db.query<{ id: string }>(
    "select directory_id as id from tenants where lifecycle <> 'archived' order by id",
  );
  expect(directories.map(({ directoryId }) => directoryId).sort()).toEqual(rows.map(({ id }) => id).sort());
  for (const { policies } of directories) expect(policies).toBeGreaterThanOrEqual(24);
});

test("every tenant can be written to, but the one whose admin granted reading only", async () => {
  const writing = "DeviceManagementConfiguration.ReadWrite.All";
  const rows = await database.db.query<{ name: string }>(
    `select p.name from provider_connections c join tenant_profiles p using (tenant_id)
     where c.status = 'verified' and not c.granted_roles @> array[$1]`,
    [writing],
  );
  expect(rows).toEqual([{ name: "Fabrikam HQ" }]);
  const lacking = directories.filter(({ apps }) => apps.every(({ roles }) => !roles.includes(writing)));
  expect(lacking.map(({ displayName }) => displayName)).toEqual(["Fabrikam HQ"]);
});

test("groups have the same names at every tenant, but for those of its own and one that is there twice", () => {
  const [contoso, adatum] = directories.map(({ groups = [] }) => groups.map((group) => group.displayName));
  expect(contoso).toEqual(expect.arrayContaining(["All staff", "Executives", "Contractors"]));
  expect(adatum).toEqual(expect.arrayContaining(["All staff", "Executives"]));
  expect(adatum).not.toContain("Contractors");
  for (const names of [contoso, adatum]) expect(names?.filter((name) => name === "Kiosks")).toHaveLength(2);
});

test("there are past runs of every outcome, of people and of the system", async () => {
  expect(await outcomesOf("actor_bound")).toEqual([
    "blocked",
    "cancelled",
    "failed",
    "partially_succeeded",
    "succeeded",
  ]);
  expect(await outcomesOf("system_authority")).toEqual([
    "blocked",
    "failed",
    "partially_succeeded",
    "succeeded",
  ]);
});

test("runs were blocked at request, as they began and in mid-run, for many reasons", async () => {
  const rows = await database.db.query<{ phase: string; reason: string }>(
    `select distinct phase, reason_code as reason from execution_decisions where verdict = 'denied'
     order by phase, reason`,
  );
  expect(rows).toEqual([
    { phase: "begin", reason: "execution_prerequisite_invalid" },
    { phase: "begin", reason: "initiator_missing" },
    { phase: "begin", reason: "missing_capability" },
    { phase: "checkpoint", reason: "missing_capability" },
    { phase: "checkpoint", reason: "provider_connection_invalid" },
    { phase: "checkpoint", reason: "tenant_not_operable" },
    { phase: "request", reason: "tenant_not_operable" },
  ]);
});

async function outcomesOf(mode: string): Promise<string[]> {
  const rows = await database.db.query<{ outcome: string }>(
    "select distinct outcome from operation_runs where authority_mode = $1 order by outcome",
    [mode],
  );
  return rows.map(({ outcome }) => outcome);
}

test("what is told agrees with itself", async () => {
  const disagreeing = await database.db.query(
    `select r.id, r.operation, r.tenant_name, r.outcome from operation_runs r
     where r.effects_done <> (select count(*) from audit_events e
         where e.subject_id = r.id::text and e.action = 'run.effect')
       or 1 <> (select count(*) from audit_events e
         where e.subject_id = r.id::text and e.action = 'run.' || r.outcome)
       or (select count(*) from audit_events e where e.subject_id = r.id::text and e.action = 'run.started')
         <> (select count(*) from execution_decisions d
           where d.run_id = r.id and d.phase = 'begin' and d.verdict = 'allowed')
       or (r.outcome = 'blocked') <> exists (select 1 from execution_decisions d
         where d.run_id = r.id and d.verdict = 'denied' and d.reason_code = r.reason_code)
       or exists (select 1 from users u where u.id = r.initiator_id)
         <> exists (select 1 from notifications n where n.run_id = r.id and n.user_id = r.initiator_id)
       or r.completed_at < r.requested_at or r.requested_at > now()`,
  );
  expect(disagreeing).toEqual([]);
});

test("the newest runs are real ones, with effects that carry their proof", async () => {
  const runs = await database.db.query<{ tenant: string; tally: Record<string, number> }>(
    `select r.tenant_name as tenant, r.tally from operation_runs r
     where r.operation = 'inventory.sync' and exists (select 1 from effects e where e.run_id = r.id)
     order by r.tenant_name`,
  );
  const seen = { created: 1, changed: 1, gone: 1 };
  expect(runs).toEqual([
    { tenant: "Adatum Health", tally: { ...seen, unchanged: 49 } },
    { tenant: "Contoso Retail", tally: { ...seen, unchanged: 61 } },
    { tenant: "Fabrikam HQ", tally: { ...seen, unchanged: 53 } },
  ]);
});

test("seeding again does nothing, whatever has been done since", async () => {
  await database.db.query(
    "delete from memberships where user_id = (select id from users where email like 'omar@%')",
  );
  const before = await countRows();
  expect(await seed(database.db, credentialKeys)).toBe(false);
  expect(await countRows()).toEqual(before);
});

function countRows() {
  return database.db.query(
    `select (select count(*) from users) as users, (select count(*) from memberships) as memberships,
       (select count(*) from operation_runs) as runs, (select count(*) from audit_events) as events,
       (select count(*) from inventory_items) as items, (select count(*) from notifications) as notifications`,
  );
}
