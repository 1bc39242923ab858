import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import type { JsonObject } from "../../server/provider/port.ts";
import { type Browser, makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { addTenant, askForPreview, backUp, preview, putDirectory, restore } from "../helpers/backups.ts";
import { createMember, createTenant, placeHold, type TestUser } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, startsWithin } from "../helpers/records.ts";
import { createPlan, createSet } from "../helpers/sets.ts";

const installation = useInstallation();
const type = "deviceConfigurations";
let app: TestApp;
let world: Northwind;
let directory: string;
beforeAll(() => {
  app = makeApp(installation.db);
});
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  directory = world.contoso.directoryId;
  await putDirectory(installation, world.contoso);
});

const evil = `<script>alert("x")</script>`;

async function put(id: string, more: JsonObject = {}): Promise<void> {
  const kind = { "@odata.type": "#microsoft.graph.windows10GeneralConfiguration" };
  const payload = { ...kind, displayName: `Policy ${id}`, description: "as it should be", ...more };
  await installation.control.putPolicy(directory, type, id, payload);
}

async function see(address: string, person: TestUser = world.olivia): Promise<string> {
  const answer = await (await signIn(app, person.email)).get(address);
  expect(answer.status).toBe(200);
  return answer.text;
}

const idIn = (answer: Response) => answer.headers.location?.split("/").at(-1) ?? "";

/** A backup of two policies, of which one was changed and one deleted since. */
async function backedUpAndChanged(): Promise<string> {
  await put("a");
  await put("b");
  const setId = await backUp(installation, world, [type]);
  await put("a", { description: evil });
  await installation.control.removePolicy(directory, type, "b");
  return setId;
}

const options = {
  assignments: "union",
  conditionalAccessState: "report_only",
  updatedConditionalAccessState: "keep",
};

describe("choosing what to restore", () => {
  test("offers all types with their counts, where to, and plain options, the careful ones chosen", async () => {
    const adatum = await createTenant(installation.db, { workspace: world.northwind, name: "Adatum Health" });
    const set = await createSet(installation.db, {
      tenant: world.contoso,
      types: [type, "assignmentFilters"],
      items: [{ name: "One" }, { name: "Two" }, { name: "Three", type: "assignmentFilters" }],
    });
    const page = await see(`/admin/backups/${set.id}/restores/new`);
    expect(page).toContain(`value="${type}" checked> <span>Device configurations <span class="muted num">2<`);
    expect(page).toContain(`value="${world.contoso.id}" selected>Contoso Retail (where it was taken)<`);
    expect(page).toContain(`value="${adatum.id}">Adatum Health<`);
    for (const [name, value] of Object.entries(options))
      expect(page).toContain(`name="${name}" value="${value}" checked`);
  });

  test("of single policies or of all that a filter finds states what that is", async () => {
    const { db } = installation;
    const items = [{ name: "VPN one" }, { name: "VPN two" }, { name: "Kiosk" }];
    const set = await createSet(db, { tenant: world.contoso, items });
    const address = `/admin/backups/${set.id}/restores/new`;
    const chosen = await see(`${address}?item=${set.items[0]}&item=${set.items[2]}`);
    expect(chosen).toContain("2 chosen policies");
    expect(chosen).toMatch(/<li>Kiosk<\/li><li>VPN one<\/li>/);
    const found = await see(`${address}?text=vpn&type=${type}`);
    expect(found).toContain("2 policies with “vpn” in the name of the type “Device configurations”");

    const browser = await signIn(app, world.omar.email);
    const fields = { tenant: world.contoso.id, request_key: randomUUID(), ...options };
    const answer = await submit(browser, address, `/admin/backups/${set.id}/restores`, {
      ...fields,
      text: "vpn",
      type,
    });
    const [run] = await db.query<{ target: { itemIds: string[] } }>(
      "select target from operation_runs where id = $1",
      [idIn(answer)],
    );
    expect(run?.target.itemIds).toEqual(set.items.slice(0, 2));
  });

  test("of nothing, or for a tenant that is not there, shows the form again with what was chosen", async () => {
    const set = await createSet(installation.db, { tenant: world.contoso, items: [{ name: "One" }] });
    const browser = await signIn(app, world.omar.email);
    const address = `/admin/backups/${set.id}/restores`;
    const fields = { request_key: randomUUID(), ...options, assignments: "exact" };
    const nothing = await submit(browser, `${address}/new`, address, { ...fields, tenant: world.contoso.id });
    expect(nothing.status).toBe(422);
    expect(nothing.text).toContain("Choose at least one type of policy.");
    expect(nothing.text).toContain('name="assignments" value="exact" checked');
    const nowhere = await submit(browser, `${address}/new`, address, {
      ...fields,
      tenant: randomUUID(),
      types: type,
    });
    expect(nowhere.status).toBe(422);
    expect(nowhere.text).toContain("Choose a tenant of this workspace.");
  });

  test("is refused with the right's name to somebody who may only look", async () => {
    const rita = await createMember(installation.db, { workspace: world.northwind, role: "readonly" });
    const set = await createSet(installation.db, { tenant: world.contoso, items: [{ name: "One" }] });
    const address = `/admin/backups/${set.id}/restores`;
    expect(await see(`${address}/new`, rita)).toContain("You need restore.preview to preview a restore.");
    const fields = { tenant: world.contoso.id, request_key: randomUUID(), types: type, ...options };
    const answer = await submit(await signIn(app, rita.email), "/admin/backups", address, fields);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("<code>restore.preview</code>");
  });
});

describe("a preview", () => {
  test("leads from the form to its progress, and then to what would happen, field by field", async () => {
    const setId = await backedUpAndChanged();
    const browser = await signIn(app, world.omar.email);
    const address = `/admin/backups/${setId}/restores`;
    const asked = { tenant: world.contoso.id, request_key: randomUUID(), types: type, ...options };
    const answer = await submit(browser, `${address}/new`, address, { ...asked, start_within: "4" });
    expect(answer.headers.location).toBe(`/admin/restores/${idIn(answer)}`);
    expect(await startsWithin(installation.db, idIn(answer))).toBe(4);
    const plan = `/admin/restores/${idIn(answer)}`;
    const waiting = await see(plan, world.omar);
    expect(waiting).toContain("Finding out what a restore would do at Contoso Retail");
    expect(waiting).toContain(`hx-get="${plan}"`);

    await drainQueue(installation.worker);
    const page = await see(plan);
    expect(page).toContain("<h1>This would create 1 policy and change 1 policy at Contoso Retail</h1>");
    expect(page).toContain("Nothing has been changed yet.");
    expect(page).toContain("1 field changes");
    expect(page).toContain("&lt;script&gt;alert(\\&#34;x\\&#34;)");
    expect(page).not.toContain("<script>alert");
    expect(page).not.toContain("hx-get");
    expect(page).toContain(`href="${plan}/execution"`);
    expect(await see(`${plan}?action=create`)).not.toContain("1 field changes");
    expect(await see(`/admin/operations/${idIn(answer)}`)).toContain(`href="${plan}">Open the preview</a>`);

    const [, item = ""] = /href="(\/admin\/restores\/[^/]+\/items\/\d+)">Policy a</.exec(page) ?? [];
    const shown = await see(item);
    expect(shown).toContain("<code>description</code>");
    expect(shown).toContain("as it should be");
  });

  test("that somebody may not carry out says so, and to whom to send it", async () => {
    const planId = await preview(installation, world, { setId: await backedUpAndChanged() });
    const page = await see(`/admin/restores/${planId}`, world.omar);
    expect(page).toContain("You need restore.execute to restore configuration.");
    expect(page).not.toContain(`/execution"`);
    const answer = await (await signIn(app, world.omar.email)).get(`/admin/restores/${planId}/execution`);
    expect(answer.status).toBe(403);
  });

  test("that would be blocked says why and leads to what mends it", async () => {
    const planId = await preview(installation, world, { setId: await backedUpAndChanged() });
    await installation.db.query(
      "update provider_connections set verified_at = now() - interval '2 days' where tenant_id = $1",
      [world.contoso.id],
    );
    const page = await see(`/admin/restores/${planId}`);
    expect(page).toContain("Would be blocked");
    expect(page).toContain("Contoso Retail is not open for changes (the last verification is too old).");
    expect(page).toContain(`href="/admin/tenants/${world.contoso.id}">Open the write gate</a>`);
  });

  test("that ended before it was finished says so and can be made again", async () => {
    const setId = await backedUpAndChanged();
    const planId = await askForPreview(installation, world, { setId });
    await installation.db.query("update tenants set lifecycle = 'suspended' where id = $1", [
      world.contoso.id,
    ]);
    await drainQueue(installation.worker);
    const page = await see(`/admin/restores/${planId}`);
    expect(page).toContain("did not come to its end");
    expect(page).toContain(`href="/admin/operations/${planId}/rerun">Preview again …</a>`);
  });

  test("with nothing to do says that", async () => {
    await put("a");
    const setId = await backUp(installation, world, [type]);
    const page = await see(`/admin/restores/${await preview(installation, world, { setId })}`);
    expect(page).toContain("There is nothing to restore at Contoso Retail");
    expect(page).toContain("1 policy is there already, just as in the backup.");
    expect(page).toContain('aria-current="true">All 1</a>');
    expect(page).not.toContain('aria-current="true">All but unchanged');
  });

  test("leads with what would change or is refused; the rest is one click away", async () => {
    const set = await createSet(installation.db, { tenant: world.contoso });
    const items = [
      { name: "Quiet one", action: "unchanged" as const },
      { name: "Doubtful one", action: "refused" as const, reason: "More than one policy matches." },
      { name: "New one" },
    ];
    const { id } = await createPlan(installation.db, { set, source: world.contoso, items });
    const page = await see(`/admin/restores/${id}`);
    expect(page).toMatch(/Doubtful one.*More than one policy matches\..*New one/s);
    expect(page).not.toContain("Quiet one");
    expect(await see(`/admin/restores/${id}?action=all`)).toContain("Quiet one");
    expect(await see(`/admin/restores/${id}?action=unchanged`)).not.toContain("New one");
  });

  test("cuts long values and lists only the first fields that change", async () => {
    const set = await createSet(installation.db, { tenant: world.contoso });
    const diff = Array.from({ length: 30 }, (_, n) => ({
      path: `field${n}.`,
      before: "x".repeat(5000),
      after: n,
    }));
    const items = [{ name: "Many", action: "update" as const, diff, notes: [evil] }];
    const plan = await createPlan(installation.db, { set, source: world.contoso, items });
    const page = await see(`/admin/restores/${plan.id}`);
    expect(page).toContain("30 fields change, the first 20");
    expect(page).toContain("field19.");
    expect(page).not.toContain("field20.");
    expect(page).toContain("… (5,002 characters)");
    expect(page).not.toContain("x".repeat(301));
    expect(page).not.toContain("<script>alert");
    expect(await see(`/admin/restores/${plan.id}/items/1`)).toContain("field29.");
  });

  test("is as absent as one that does not exist for somebody who may not see the backup's tenant", async () => {
    const { db } = installation;
    const adatum = await createTenant(db, { workspace: world.northwind, name: "Adatum Health" });
    const set = await createSet(db, { tenant: world.contoso });
    const plan = await createPlan(db, { set, source: world.contoso, target: adatum });
    const sam = await createMember(db, { workspace: world.northwind, role: "manager", tenant: adatum });
    const browser = await signIn(app, sam.email);
    const answers = await Promise.all(
      [plan.id, randomUUID()].map((id) => browser.get(`/admin/restores/${id}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(answers[0]?.text).toBe(answers[1]?.text);
  });

  test("for another tenant of the workspace names both", async () => {
    const fabrikam = await addTenant(installation, world);
    const setId = await backedUpAndChanged();
    const page = await see(
      `/admin/restores/${await preview(installation, world, { setId, tenant: fabrikam })}`,
    );
    expect(page).toContain("This would create 2 policies at Fabrikam");
    expect(page).toContain(`<a href="/admin/backups/${setId}">Backup of Contoso Retail</a>`);
  });
});

describe("confirming a preview", () => {
  async function ready(): Promise<{ browser: Browser; address: string; planId: string }> {
    const planId = await preview(installation, world, { setId: await backedUpAndChanged() });
    const browser = await signIn(app, world.olivia.email);
    return { browser, planId, address: `/admin/restores/${planId}/execution` };
  }

  async function digestOf(planId: string): Promise<string> {
    const [plan] = await installation.db.query<{ digest: string }>(
      "select digest from restore_plans where id = $1",
      [planId],
    );
    return plan?.digest ?? "";
  }

  test("says what will happen to how many, takes the typed name and a reason, and restores", async () => {
    const { browser, address, planId } = await ready();
    const page = await browser.get(address);
    expect(page.text).toContain("<h1>Restore 2 policies at Contoso Retail?</h1>");
    expect(page.text).toContain("1 policy is created.");
    expect(page.text).toContain("1 policy is changed.");
    const fields = { digest: await digestOf(planId), request_key: randomUUID(), start_within: "1" };
    const confirmed = { ...fields, tenant_name: "Contoso Retail", reason: "put back" };
    const answer = await submit(browser, address, address, confirmed);
    const again = await submit(browser, address, address, confirmed);
    expect(again.headers.location).toBe(answer.headers.location);
    expect(await startsWithin(installation.db, idIn(answer))).toBe(1);
    await drainQueue(installation.worker);
    expect(await getRun(installation.db, idIn(answer))).toMatchObject({ outcome: "succeeded" });
    const policies = await installation.control.listPolicies(directory, type);
    expect(policies.map(({ payload }) => payload.description)).toEqual([
      "as it should be",
      "as it should be",
    ]);
    const used = await see(`/admin/restores/${planId}`);
    expect(used).toContain("It was carried out.");
    expect(used).toContain(`href="/admin/operations/${idIn(answer)}">View the restore</a>`);
    expect(used).toContain("This was to create 1 policy and change 1 policy");
  });

  test("at a tenant on hold says what it would wait for", async () => {
    const { browser, address } = await ready();
    await placeHold(installation.db, { tenant: world.contoso });
    const page = await browser.get(address);
    expect(page.status).toBe(200);
    expect(page.text).toContain(
      "It would wait: Olivia Brandt has put the tenant on hold (“credential rotation”).",
    );
  });

  test("with another name or no reason shows the form again with what was typed", async () => {
    const { browser, address, planId } = await ready();
    const fields = { digest: await digestOf(planId), request_key: randomUUID(), start_within: "1" };
    const answer = await submit(browser, address, address, { ...fields, tenant_name: evil, reason: " " });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Type Contoso Retail to confirm.");
    expect(answer.text).toContain("Say why, for those who read about it later.");
    expect(answer.text).toContain('value="&lt;script&gt;');
    expect(answer.text).toContain(fields.request_key);
    const runs = await installation.db.query(
      "select 1 from operation_runs where operation = 'restore.execute' and tenant_id = $1",
      [world.contoso.id],
    );
    expect(runs).toEqual([]);
  });

  test("that is not the one that was shown is a conflict in words", async () => {
    const { browser, address } = await ready();
    const fields = { tenant_name: "Contoso Retail", reason: "put back", request_key: randomUUID() };
    const answer = await submit(browser, address, address, { ...fields, digest: "another" });
    expect(answer.status).toBe(409);
    expect(answer.text).toContain("The preview is not the one that was shown.");
  });

  test.each([
    ["too old", "completed_at = now() - interval '61 minutes'", "its preview is more than an hour old"],
    [
      "overtaken",
      "stale_since = now(), stale_reason = 'Policy a was changed at Contoso Retail since'",
      "Policy a was changed at Contoso Retail since",
    ],
  ])("that is %s is a conflict that leads to a new preview", async (_name, change, words) => {
    const { browser, address, planId } = await ready();
    const { db } = installation;
    await db.query("alter table restore_plans disable trigger restore_plans_are_frozen");
    await db.query(`update restore_plans set ${change} where id = $1`, [planId]);
    await db.query("alter table restore_plans enable always trigger restore_plans_are_frozen");
    const answer = await browser.get(address);
    expect(answer.status).toBe(409);
    expect(answer.text).toContain(words);
    expect(answer.text).toContain(`href="/admin/operations/${planId}/rerun">Preview again …</a>`);
  });
});

describe("the run page of a restore", () => {
  test("tells item by item what became of it, filters it, and leads to plan, snapshot and undo", async () => {
    const planId = await preview(installation, world, { setId: await backedUpAndChanged() });
    const runId = await restore(installation, world, planId);
    const page = await see(`/admin/operations/${runId}`);
    expect(page).toContain(`href="/admin/restores/${planId}">Open the preview</a>`);
    expect(page).toContain(`href="/admin/backups/${runId}">What was there before</a>`);
    expect(page).toContain(">Created 1</a>");
    const updated = await see(`/admin/operations/${runId}?result=updated`);
    expect(updated).toContain("Policy a");
    expect(updated).not.toContain("Policy b");

    const browser = await signIn(app, world.olivia.email);
    const run = `/admin/operations/${runId}`;
    const answer = await submit(browser, run, `${run}/undo`, { request_key: randomUUID() });
    expect(answer.headers.location).toBe(`/admin/restores/${idIn(answer)}`);
    await drainQueue(installation.worker);
    const undo = await see(`/admin/restores/${idIn(answer)}`);
    expect(undo).toContain("This would change 1 policy at Contoso Retail");
    expect(undo).toContain("Assignments become exactly those of the backup");
  });

  test("that wrote over nothing offers no undo", async () => {
    await put("a");
    const setId = await backUp(installation, world, [type]);
    await installation.control.removePolicy(directory, type, "a");
    const runId = await restore(installation, world, await preview(installation, world, { setId }));
    const run = `/admin/operations/${runId}`;
    expect(await see(run)).not.toContain("Undo");
    const browser = await signIn(app, world.olivia.email);
    expect((await submit(browser, run, `${run}/undo`, { request_key: randomUUID() })).status).toBe(409);
  });

  test("says what to check at Microsoft where nobody knows whether a call was carried out", async () => {
    const planId = await preview(installation, world, { setId: await backedUpAndChanged() });
    const runId = await restore(installation, world, planId);
    const { db } = installation;
    await db.query("alter table effects disable trigger effects_keep_their_history");
    await db.query(
      `update effects set state = 'unknown', reason = 'Microsoft did not answer', request_id = 'req-1'
       where run_id = $1 and intent ->> 'action' = 'update'`,
      [runId],
    );
    await db.query("alter table effects enable always trigger effects_keep_their_history");
    const page = await see(`/admin/operations/${runId}`);
    expect(page).toContain("Check these at Microsoft");
    expect(page).toMatch(
      /Policy a.*Device configurations.*changing it.*<code>a<\/code>.*<code>req-1<\/code>/s,
    );
  });

  test("shows what became of the items to everybody who may see it, and no way on to those who may not go there", async () => {
    const rita = await createMember(installation.db, { workspace: world.northwind, role: "readonly" });
    const planId = await preview(installation, world, { setId: await backedUpAndChanged() });
    const runId = await restore(installation, world, planId);
    const page = await see(`/admin/operations/${runId}`, rita);
    expect(page).toContain("Policy a");
    expect(page).not.toContain("/admin/restores/");
    expect(page).not.toContain("Undo");
  });
});
