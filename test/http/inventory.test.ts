import { beforeAll, describe, expect, test } from "@jest/globals";
import { type Browser, makeApp, signIn, submit } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createMember,
  createTenant,
  createWorkspace,
  type TestTenant,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { createPolicy } from "../helpers/inventory.ts";

const database = useDatabase();
let app: ReturnType<typeof makeApp>;
let workspace: TestWorkspace;
let contoso: TestTenant;
let fabrikam: TestTenant;
let owner: Browser;

beforeAll(async () => {
  const { db } = database;
  app = makeApp(db);
  workspace = await createWorkspace(db);
  contoso = await createTenant(db, { workspace, name: "Contoso" });
  fabrikam = await createTenant(db, { workspace, name: "Fabrikam" });
  for (let n = 1; n <= 60; n += 1)
    await createPolicy(db, { tenant: contoso, name: `Policy ${String(n).padStart(3, "0")}` });
  await createPolicy(db, { tenant: fabrikam, name: "Policy 000 of Fabrikam" });
  await createPolicy(db, { tenant: fabrikam, name: "Firewall", type: "configurationPolicies" });
  await createPolicy(db, { tenant: fabrikam, name: "Long gone", goneSince: new Date() });
  owner = await signIn(app, (await createMember(db, { workspace, role: "owner" })).email);
});

/** The names on a page of the list, in order. */
async function names(browser: Browser, address: string): Promise<string[]> {
  const { text } = await browser.get(address);
  return [...text.matchAll(/<a class="title wraps"[^>]*>([^<]+)</g)].map(([, name = ""]) => name);
}

describe("the list", () => {
  test("shows what is there at all tenants one may see, by name, page after page", async () => {
    const first = await names(owner, "/admin/inventory");
    expect(first).toHaveLength(50);
    expect(first.slice(0, 3)).toEqual(["Firewall", "Policy 000 of Fabrikam", "Policy 001"]);
    const { text } = await owner.get("/admin/inventory");
    const next = /rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const second = await names(owner, next);
    expect(second).toHaveLength(12);
    expect(new Set([...first, ...second]).size).toBe(62);
    expect([...first, ...second]).not.toContain("Long gone");
  });

  test("goes by tenant, type and part of a name", async () => {
    expect(await names(owner, `/admin/inventory?tenant=${fabrikam.id}`)).toHaveLength(2);
    expect(await names(owner, "/admin/inventory?type=configurationPolicies")).toEqual(["Firewall"]);
    expect(await names(owner, "/admin/inventory?text=fabri")).toEqual(["Policy 000 of Fabrikam"]);
  });

  test("names what it shows only when nothing matches", async () => {
    const { text } = await owner.get("/admin/inventory?text=nothing&type=deviceManagementScripts");
    expect(text).toContain("No policies match");
    expect(text).toContain("“nothing”");
  });

  test("shows a person of one tenant that one's only, and nothing of another's whatever is asked for", async () => {
    const person = await createMember(database.db, { workspace, role: "readonly", tenant: fabrikam });
    const browser = await signIn(app, person.email);
    expect(await names(browser, "/admin/inventory")).toHaveLength(2);
    expect(await names(browser, `/admin/inventory?tenant=${contoso.id}`)).toEqual([]);
  });

  test("offers what can be done to those who may, and to nobody else", async () => {
    expect((await owner.get("/admin/inventory")).text).toContain("Delete …");
    const reader = await signIn(
      app,
      (await createMember(database.db, { workspace, role: "readonly" })).email,
    );
    const { text } = await reader.get("/admin/inventory");
    expect(text).not.toContain("Delete …");
    expect(text).not.toContain('name="policy"');
  });
});

test("a policy's page shows it as Microsoft gave it", async () => {
  const { id } = await createPolicy(database.db, { tenant: fabrikam, name: "Shown" });
  const { text } = await owner.get(`/admin/inventory/${id}`);
  expect(text).toContain("<h1>Shown</h1>");
  expect(text).toContain("&#34;displayName&#34;: &#34;Shown&#34;");
});

describe("choosing all that match", () => {
  test("needs one tenant, and says how many it is", async () => {
    expect((await owner.get("/admin/inventory")).text).toContain("Choose a tenant above");
    const { text } = await owner.get(`/admin/inventory?tenant=${contoso.id}`);
    expect(text).toContain("All 60 policies that match, on all pages");
  });

  test("takes those of all pages, and shows them once more before anything happens", async () => {
    const page = `/admin/inventory?tenant=${contoso.id}&text=policy+00`;
    const fields = { all: "yes", tenant: contoso.id, text: "policy 00", count: "9" };
    const answer = await submit(owner, page, "/admin/bulk/selections", {
      ...fields,
      operation: "policies.bulk_delete",
    });
    expect(answer.status).toBe(303);
    const { text } = await owner.get(answer.headers.location ?? "");
    expect(text).toContain("Delete 9 policies at Contoso?");
    expect(text).toContain("Policy 009");
  });

  test("is refused when the list is another one by now", async () => {
    const fields = { all: "yes", tenant: contoso.id, count: "59", operation: "policies.bulk_delete" };
    const answer = await submit(owner, "/admin/inventory", "/admin/bulk/selections", fields);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("The list has changed: 60 match now.");
  });

  test("is refused, with the number it may be, where there are too many", async () => {
    const { db } = database;
    const large = await createTenant(db, { workspace, name: "Large" });
    await db.query(
      `insert into inventory_items (id, tenant_id, type, provider_id, name, odata_type, payload, hash, match_key,
         normalised, normalised_hash, first_seen_at, first_seen_run_id, changed_at, changed_run_id, last_seen_at,
         last_seen_run_id, last_seen_token)
       select gen_random_uuid(), $1, 'deviceConfigurations', n::text, 'Large ' || n, '', '{}', 'h', n::text, '{}',
         'h', now(), $1, now(), $1, now(), $1, 1 from generate_series(1, 501) n`,
      [large.id],
    );
    const { text } = await owner.get(`/admin/inventory?tenant=${large.id}`);
    expect(text).toContain("501 match, and at most 500 can be taken at a time");
    const fields = { all: "yes", tenant: large.id, count: "501", operation: "policies.bulk_delete" };
    const answer = await submit(owner, "/admin/inventory", "/admin/bulk/selections", fields);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Choose at most 500 policies at a time.");
  });
});
