import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { type Browser, makeApp, signIn, submit, tokenIn } from "../helpers/app.ts";
import { addTenant, putDirectory } from "../helpers/backups.ts";
import { groups, putPolicy, requestSyncOf, sync } from "../helpers/bulk.ts";
import { addMember, createMember, createTenant, createUser, type TestTenant } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { createPolicy } from "../helpers/inventory.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, startsWithin } from "../helpers/records.ts";
import { createSet } from "../helpers/sets.ts";

const installation = useInstallation();
let world: Northwind;
let app: ReturnType<typeof makeApp>;
let olivia: Browser;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  app = makeApp(installation.db);
  olivia = await signIn(app, world.olivia.email);
});

const runIn = (answer: Response) =>
  /operations\/([0-9a-f-]{36})$/.exec(answer.headers.location ?? "")?.[1] ?? "";

/** What a form on a page sends besides what a person fills in. */
function hidden(page: Response): Record<string, string> {
  const fields = [...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
  return Object.fromEntries(fields.map(([, name = "", value = ""]) => [name, value]));
}

async function send(browser: Browser, page: Response, action: string, fields: Record<string, string> = {}) {
  return browser
    .post(action)
    .type("form")
    .send({ ...hidden(page), _csrf: tokenIn(page), ...fields });
}

describe("policies", () => {
  beforeEach(async () => {
    await putDirectory(installation, world.contoso, { groups });
    for (const id of ["a", "b"]) await putPolicy(installation, world, id);
    await sync(installation, world);
  });

  async function choose(operation: string, browser = olivia): Promise<Response> {
    const list = await browser.get("/admin/inventory");
    const policy = [...list.text.matchAll(/name="policy" value="([^"]+)"/g)].map(([, id = ""]) => id);
    return browser
      .post("/admin/bulk/selections")
      .type("form")
      .send({ _csrf: tokenIn(list), policy, operation });
  }

  test("chosen in the list, confirmed by name and reason, are deleted; its page says so policy by policy", async () => {
    const chosen = await choose("policies.bulk_delete");
    const address = chosen.headers.location ?? "";
    const page = await olivia.get(address);
    expect(page.text).toContain("Delete 2 policies at Contoso Retail?");
    const careless = await send(olivia, page, `${address}/execution`, {
      tenant_name: "contoso",
      reason: " ",
    });
    expect(careless.status).toBe(422);
    expect(careless.text).toContain("Type Contoso Retail to confirm.");
    expect(careless.text).toContain("Say why");
    const confirmed = { tenant_name: "Contoso Retail", reason: "no longer used", start_within: "4" };
    const run = runIn(await send(olivia, page, `${address}/execution`, confirmed));
    expect(await startsWithin(installation.db, run)).toBe(4);
    await drainQueue(installation.worker);
    expect(await getRun(installation.db, run)).toMatchObject({ outcome: "succeeded", tally: { deleted: 2 } });
    const { text } = await olivia.get(`/admin/operations/${run}`);
    expect(text).toContain("Policy a");
    expect(text).toContain("Deleted 2");
    expect(text).toContain("What was there before");
    expect((await olivia.get(address)).text).toContain("This selection was confirmed already.");
  });

  test("sent twice, make one run", async () => {
    const address = (await choose("policies.bulk_delete")).headers.location ?? "";
    const page = await olivia.get(address);
    const confirmed = { tenant_name: "Contoso Retail", reason: "no longer used" };
    const first = await send(olivia, page, `${address}/execution`, confirmed);
    const second = await send(olivia, page, `${address}/execution`, confirmed);
    expect(runIn(second)).toBe(runIn(first));
  });

  test("are assigned to the groups that were typed, one a line", async () => {
    const address = (await choose("policies.bulk_assign")).headers.location ?? "";
    const page = await olivia.get(address);
    const none = await send(olivia, page, `${address}/execution`, {
      tenant_name: "Contoso Retail",
      reason: "roll-out",
    });
    expect(none.text).toContain("Name at least one group.");
    const run = runIn(
      await send(olivia, page, `${address}/execution`, {
        tenant_name: "Contoso Retail",
        reason: "roll-out",
        include: "Pilots\r\n\r\n All staff ",
        start_within: "4",
      }),
    );
    expect(await startsWithin(installation.db, run)).toBe(4);
    await drainQueue(installation.worker);
    expect(await getRun(installation.db, run)).toMatchObject({
      outcome: "succeeded",
      tally: { assigned: 2 },
    });
    expect((await olivia.get(`/admin/operations/${run}`)).text).toContain("Assigned 2");
  });

  test("of which nobody knows whether they were deleted are what its page says to check", async () => {
    const { db, worker } = installation;
    const address = (await choose("policies.bulk_delete")).headers.location ?? "";
    const confirmed = { tenant_name: "Contoso Retail", reason: "no longer used" };
    const page = await olivia.get(address);
    const run = runIn(await send(olivia, page, `${address}/execution`, confirmed));
    await drainQueue(worker);
    await db.query("alter table effects disable trigger effects_keep_their_history");
    await db.query("update effects set state = 'unknown' where run_id = $1 and intent ->> 'id' = 'b'", [run]);
    await db.query("alter table effects enable always trigger effects_keep_their_history");
    const { text } = await olivia.get(`/admin/operations/${run}`);
    expect(text).toMatch(
      /Check these at Microsoft.*Policy b.*Device configurations.*deleting it.*<code>b<\/code>/s,
    );
    expect(text).not.toMatch(/Policy a<\/span>.*deleting it/s);
  });

  test("of two tenants, or none, are refused together", async () => {
    const other = await createTenant(installation.db, { workspace: world.northwind });
    await createPolicy(installation.db, { tenant: other });
    const two = await choose("policies.bulk_delete");
    expect(two.status).toBe(422);
    expect(two.text).toContain("Choose policies of one tenant at a time.");
    const none = await submit(olivia, "/admin/inventory", "/admin/bulk/selections", {
      operation: "policies.bulk_delete",
    });
    expect(none.text).toContain("Choose at least one policy.");
  });

  test("that are not assigned to groups are left out of what is assigned", async () => {
    const { id } = await createPolicy(installation.db, {
      tenant: world.contoso,
      name: "Require MFA",
      type: "conditionalAccessPolicies",
    });
    const address = (await choose("policies.bulk_assign")).headers.location ?? "";
    const { text } = await olivia.get(address);
    expect(text).toContain("Assign 2 policies at Contoso Retail?");
    expect(text).toContain("1 other one is left out: nothing of its kind is assigned to groups.");
    const only = await submit(olivia, "/admin/inventory", "/admin/bulk/selections", {
      policy: id,
      operation: "policies.bulk_assign",
    });
    expect(only.status).toBe(422);
  });

  test("cannot be chosen by who may not do that with them", async () => {
    const omar = await signIn(app, world.omar.email);
    const list = await omar.get("/admin/inventory");
    expect(list.text).not.toContain("Delete …");
    const [policy] = await installation.db.query<{ id: string }>(
      "select id from inventory_items where tenant_id = $1 limit 1",
      [world.contoso.id],
    );
    const answer = await submit(omar, "/admin/notifications", "/admin/bulk/selections", {
      policy: policy?.id ?? "",
      operation: "policies.bulk_delete",
    });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("<code>policy.bulk_delete</code>");
    const address = (await choose("policies.bulk_delete")).headers.location ?? "";
    expect((await omar.get(address)).status).toBe(403);
  });
});

describe("tenants", () => {
  let fabrikam: TestTenant;
  beforeEach(async () => {
    fabrikam = await addTenant(installation, world);
    await createTenant(installation.db, {
      workspace: world.northwind,
      name: "Asleep",
      lifecycle: "suspended",
    });
  });

  test("all in the list, or those chosen, are synced by one run, with one for each on its page", async () => {
    const list = await olivia.get("/admin/tenants");
    expect(list.text).toContain("Sync all in this list …");
    const page = await olivia.get("/admin/bulk/sync?kind=all");
    expect(page.text).toContain("Sync 2 tenants?");
    expect(page.text).toContain("1 tenant is left out: not active.");
    const run = runIn(await send(olivia, page, "/admin/bulk/sync", { start_within: "4" }));
    expect(await startsWithin(installation.db, run)).toBe(4);
    await drainQueue(installation.worker);
    expect(await getRun(installation.db, run)).toMatchObject({ outcome: "succeeded", tally: { synced: 2 } });
    const shown = await olivia.get(`/admin/operations/${run}`);
    expect(shown.text).toContain("One run per tenant");
    expect(shown.text).toContain("Fabrikam");
    const child = /<a class="title" href="(\/admin\/operations\/[^"]+)"/.exec(shown.text)?.[1] ?? "";
    expect((await olivia.get(child)).text).toContain(
      `<a href="/admin/operations/${run}">Sync many tenants</a>`,
    );
    const one = await olivia.get(`/admin/bulk/sync?tenant=${fabrikam.id}`);
    expect(one.text).toContain("Sync 1 tenant?");
  });

  test("are never all of them because none was chosen", async () => {
    const page = await olivia.get("/admin/bulk/sync");
    expect(page.text).toContain("Choose at least one tenant.");
    expect(page.text).not.toContain("Sync now");
    const list = await olivia.get("/admin/tenants");
    const forged = { _csrf: tokenIn(list), count: "2", request_key: randomUUID(), start_within: "24" };
    const answer = await olivia.post("/admin/bulk/sync").type("form").send(forged);
    expect(answer.status).toBe(422);
    const asked = "select from operation_runs where initiator_id = $1";
    expect(await installation.db.query(asked, [world.olivia.id])).toEqual([]);
  });

  test("asked for again while that is open, offer it instead of a second", async () => {
    const first = await send(olivia, await olivia.get("/admin/bulk/sync?kind=all"), "/admin/bulk/sync");
    const page = await olivia.get("/admin/bulk/sync?kind=all");
    const second = await send(olivia, page, "/admin/bulk/sync");
    expect(second.status).toBe(409);
    expect(second.text).toContain(runIn(first));
    const again = await send(olivia, second, "/admin/bulk/sync");
    expect(again.status).toBe(303);
    expect(runIn(again)).not.toBe(runIn(first));
  });

  test("that are others by the time it is confirmed are shown again", async () => {
    const page = await olivia.get("/admin/bulk/sync?kind=all");
    await addTenant(installation, world, "Newcomer");
    const answer = await send(olivia, page, "/admin/bulk/sync");
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("The list has changed since you looked at it");
    expect(answer.text).toContain("Newcomer");
  });

  test("confirmed twice, make one run, also when they cannot be synced any more by then", async () => {
    const page = await olivia.get("/admin/bulk/sync");
    const first = await send(olivia, page, "/admin/bulk/sync");
    await installation.db.query("update tenants set lifecycle = 'suspended' where workspace_id = $1", [
      world.northwind.id,
    ]);
    expect(runIn(await send(olivia, page, "/admin/bulk/sync"))).toBe(runIn(first));
  });

  test("that are as many others by then are shown again too", async () => {
    const page = await olivia.get("/admin/bulk/sync?kind=all");
    await addTenant(installation, world, "Newcomer");
    await installation.db.query("update tenants set lifecycle = 'suspended' where id = $1", [fabrikam.id]);
    const answer = await send(olivia, page, "/admin/bulk/sync");
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("The list has changed since you looked at it");
    // What is shown now can be confirmed.
    expect((await send(olivia, answer, "/admin/bulk/sync")).status).toBe(303);
  });

  test("that somebody may not sync are left out, and without any there is nothing to confirm", async () => {
    const person = await createUser(installation.db);
    const { northwind, contoso } = world;
    await addMember(installation.db, { workspace: northwind, user: person, role: "readonly" });
    await addMember(installation.db, {
      workspace: northwind,
      user: person,
      role: "operator",
      tenant: contoso,
    });
    const browser = await signIn(app, person.email);
    const page = await browser.get(`/admin/bulk/sync?tenant=${contoso.id}&tenant=${fabrikam.id}`);
    expect(page.text).toContain("Sync 1 tenant?");
    expect(page.text).toContain("1 tenant is left out: you may not sync there.");
    const none = await browser.get(`/admin/bulk/sync?tenant=${fabrikam.id}`);
    expect(none.text).toContain("None of these tenants can be synced by you now.");
  });

  test("whose runs somebody may not see any more are a count without names", async () => {
    const person = await createUser(installation.db);
    const tenants = [world.contoso, fabrikam];
    for (const tenant of tenants)
      await addMember(installation.db, {
        workspace: world.northwind,
        user: person,
        role: "operator",
        tenant,
      });
    const run = await requestSyncOf(installation, world, person, tenants);
    await drainQueue(installation.worker);
    await installation.db.query("delete from role_assignments where user_id = $1 and tenant_id = $2", [
      person.id,
      fabrikam.id,
    ]);
    const browser = await signIn(app, person.email);
    const { text } = await browser.get(`/admin/operations/${run}`);
    expect(text).toContain("1 run is at tenants that you may not see.");
    expect(text).toContain("Contoso Retail");
    expect(text).not.toContain("Fabrikam");
    const stranger = await createMember(installation.db, {
      workspace: world.northwind,
      role: "manager",
      tenant: fabrikam,
    });
    const other = await signIn(app, stranger.email);
    expect((await other.get(`/admin/operations/${run}`)).status).toBe(404);
  });
});

describe("backups", () => {
  test("chosen in the list, confirmed by name and reason, are deleted", async () => {
    const { db, worker } = installation;
    const sets = [
      await createSet(db, { tenant: world.contoso }),
      await createSet(db, { tenant: world.contoso }),
    ];
    expect((await olivia.get("/admin/backups")).text).toContain("Delete chosen …");
    const page = await olivia.get(`/admin/bulk/backups?set=${sets[0]?.id}`);
    expect(page.text).toContain("Delete 1 backup of Contoso Retail?");
    const careless = await send(olivia, page, "/admin/bulk/backups", { tenant_name: "", reason: "" });
    expect(careless.status).toBe(422);
    const confirmed = { tenant_name: "Contoso Retail", reason: "too old", start_within: "4" };
    const run = runIn(await send(olivia, page, "/admin/bulk/backups", confirmed));
    expect(await startsWithin(db, run)).toBe(4);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { deleted: 1 } });
    expect((await olivia.get(`/admin/backups/${sets[0]?.id}`)).status).toBe(404);
    expect((await olivia.get(`/admin/backups/${sets[1]?.id}`)).status).toBe(200);
  });

  test("confirmed twice, make one run, also when that has deleted them by then", async () => {
    const set = await createSet(installation.db, { tenant: world.contoso });
    const page = await olivia.get(`/admin/bulk/backups?set=${set.id}`);
    const confirmed = { tenant_name: "Contoso Retail", reason: "too old" };
    const first = await send(olivia, page, "/admin/bulk/backups", confirmed);
    expect(runIn(await send(olivia, page, "/admin/bulk/backups", confirmed))).toBe(runIn(first));
    await drainQueue(installation.worker);
    expect(runIn(await send(olivia, page, "/admin/bulk/backups", confirmed))).toBe(runIn(first));
  });

  test("all of a tenant can be chosen, and those of two tenants cannot", async () => {
    const { db } = installation;
    const other = await createTenant(db, { workspace: world.northwind });
    const sets = [await createSet(db, { tenant: world.contoso }), await createSet(db, { tenant: other })];
    const all = await olivia.get(`/admin/bulk/backups?all=yes&tenant=${world.contoso.id}`);
    expect(all.text).toContain("Delete 1 backup of Contoso Retail?");
    const both = await olivia.get(`/admin/bulk/backups?set=${sets[0]?.id}&set=${sets[1]?.id}`);
    expect(both.text).toContain("Choose backups of one tenant at a time.");
    expect((await olivia.get("/admin/bulk/backups")).text).toContain("Choose at least one backup");
  });

  test("that are as many others by the time it is confirmed are shown again, and none is deleted", async () => {
    const { db } = installation;
    const old = await createSet(db, { tenant: world.contoso });
    const page = await olivia.get(`/admin/bulk/backups?all=yes&tenant=${world.contoso.id}`);
    await db.query("delete from backup_sets where id = $1", [old.id]);
    const young = await createSet(db, { tenant: world.contoso });
    const confirmed = { tenant_name: "Contoso Retail", reason: "too old" };
    const answer = await send(olivia, page, "/admin/bulk/backups", confirmed);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("The list has changed since you looked at it");
    expect((await olivia.get(`/admin/backups/${young.id}`)).status).toBe(200);
  });

  test("cannot be deleted by who may only see them", async () => {
    const { db } = installation;
    const set = await createSet(db, { tenant: world.contoso });
    const omar = await signIn(app, world.omar.email);
    expect((await omar.get("/admin/backups")).text).not.toContain("Delete chosen …");
    expect((await omar.get(`/admin/bulk/backups?set=${set.id}`)).status).toBe(403);
  });
});
