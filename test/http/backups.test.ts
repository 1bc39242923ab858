import { randomUUID } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { backUp, putDirectory } from "../helpers/backups.ts";
import { createMember, createTenant, createWorkspace } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, startsWithin } from "../helpers/records.ts";
import { createRun } from "../helpers/runs.ts";
import { createSet } from "../helpers/sets.ts";

const installation = useInstallation();
let app: TestApp;
let world: Northwind;
beforeAll(() => {
  app = makeApp(installation.db);
});
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
});

const evil = `<script>alert("x")</script>`;
const escaped = "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;";

async function see(address: string, person = world.olivia): Promise<string> {
  const answer = await (await signIn(app, person.email)).get(address);
  expect(answer.status).toBe(200);
  return answer.text;
}

describe("taking a backup", () => {
  const form = () => `/admin/tenants/${world.contoso.id}/backups/new`;
  const action = () => `/admin/tenants/${world.contoso.id}/backups`;

  test("that is waiting already is offered instead of a second one, unless a second is wanted", async () => {
    const browser = await signIn(app, world.omar.email);
    const ask = (more: Record<string, string> = {}) => {
      const fields = { types: "deviceConfigurations", request_key: randomUUID(), start_within: "4" };
      return submit(browser, form(), action(), { ...fields, ...more });
    };
    const first = await ask();
    expect(await startsWithin(installation.db, first.headers.location?.split("/").at(-1) ?? "")).toBe(4);
    const second = await ask();
    expect(second.status).toBe(409);
    expect(second.text).toContain("An identical run is waiting already");
    expect(second.text).toContain(`href="${first.headers.location}">View run`);
    expect(second.text).toContain('name="types" value="deviceConfigurations"');
    const other = await ask({ types: "assignmentFilters" });
    expect(other.status).toBe(303);
    const third = await ask({ force: "yes" });
    expect(third.status).toBe(303);
    expect(third.headers.location).not.toBe(first.headers.location);
  });

  test("starts at the tenant's page, with every type chosen, and leads to the run and from there to what it took", async () => {
    const tenant = await see(`/admin/tenants/${world.contoso.id}`);
    expect(tenant).toContain("No backup has been taken of it yet.");
    expect(tenant).toContain(`href="${form()}"`);
    expect((await see(form())).match(/name="types" value="\w+" checked/g)).toHaveLength(8);

    const browser = await signIn(app, world.omar.email);
    const fields = { types: "deviceConfigurations", request_key: randomUUID(), start_within: "4" };
    const answer = await submit(browser, form(), action(), fields);
    expect(answer.status).toBe(303);
    const runId = answer.headers.location?.split("/").at(-1) ?? "";
    await drainQueue(installation.worker);
    expect(await getRun(installation.db, runId)).toMatchObject({ outcome: "succeeded" });
    const run = await see(`/admin/operations/${runId}`);
    expect(run).toContain(`<a class="btn" href="/admin/backups/${runId}">Open the backup</a>`);
    const set = await see(`/admin/backups/${runId}`);
    expect(set).toContain("1 policy of 1 type.");
    expect(set).toContain("<dd>Omar Haddad</dd>");
    expect(await see(`/admin/tenants/${world.contoso.id}`)).toContain(`href="/admin/backups/${runId}"`);
    const [target] = await installation.db.query("select target from operation_runs where id = $1", [runId]);
    expect(target).toEqual({ target: { types: ["deviceConfigurations"] } });
  });

  test("without any type shows the form again, with what was sent", async () => {
    const browser = await signIn(app, world.omar.email);
    const requestKey = randomUUID();
    const answer = await submit(browser, form(), action(), { request_key: requestKey, start_within: "1" });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain("Choose at least one type of policy.");
    expect(answer.text).toContain(requestKey);
    expect(answer.text).toContain('value="1" selected');
    expect(answer.text).not.toMatch(/name="types" value="\w+" checked/);
  });

  test("says beforehand that it would be blocked, and is then stored as blocked", async () => {
    await installation.db.query("update tenants set lifecycle = 'suspended' where id = $1", [
      world.contoso.id,
    ]);
    expect(await see(form())).toContain("It would be blocked now: Contoso Retail is suspended.");
    const browser = await signIn(app, world.omar.email);
    const fields = { types: "deviceConfigurations", request_key: randomUUID() };
    const answer = await submit(browser, form(), action(), fields);
    const runId = answer.headers.location?.split("/").at(-1) ?? "";
    expect(await getRun(installation.db, runId)).toMatchObject({ outcome: "blocked" });
  });

  test("is a 403 that names the right for somebody without it", async () => {
    const { db } = installation;
    const rita = await createMember(db, { workspace: world.northwind, role: "readonly" });
    const browser = await signIn(app, rita.email);
    const fields = { types: "deviceConfigurations", request_key: randomUUID() };
    const answer = await submit(browser, "/admin/backups", action(), fields);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("<code>backup.create</code>");
    expect(await see(`/admin/tenants/${world.contoso.id}`, rita)).not.toContain(form());
  });
});

describe("the list", () => {
  test("says how to take the first one", async () => {
    const page = await see("/admin/backups");
    expect(page).toContain("No backups yet");
    expect(page).toContain("Open a tenant and choose “Back up”");
  });

  test("shows the sets of tenants in scope, newest first, and filters them by tenant and kind", async () => {
    const { db } = installation;
    const adatum = await createTenant(db, { workspace: world.northwind, name: "Adatum Health" });
    const backup = await createSet(db, { tenant: world.contoso });
    const snapshot = await createSet(db, { tenant: world.contoso, kind: "snapshot" });
    const other = await createSet(db, { tenant: adatum });
    const shown = (page: string) =>
      [...page.matchAll(/class="title" href="\/admin\/backups\/([^"]+)"/g)].map(([, id]) => id);

    expect(shown(await see("/admin/backups"))).toEqual([other.id, snapshot.id, backup.id]);
    expect(shown(await see(`/admin/backups?tenant=${adatum.id}`))).toEqual([other.id]);
    expect(shown(await see("/admin/backups?kind=snapshot"))).toEqual([snapshot.id]);
    const none = await see(`/admin/backups?kind=snapshot&tenant=${adatum.id}`);
    expect(none).toContain("The list shows only those: snapshots before a change of Adatum Health.");
    expect(shown(await see("/admin/backups?kind=nonsense&tenant=x&after=y"))).toHaveLength(3);

    const sam = await createMember(db, { workspace: world.northwind, role: "readonly", tenant: adatum });
    const scoped = await see("/admin/backups", sam);
    expect(shown(scoped)).toEqual([other.id]);
    expect(scoped).not.toContain("Contoso");
  });

  test("goes on page by page", async () => {
    for (let n = 0; n < 51; n += 1) await createSet(installation.db, { tenant: world.contoso });
    const first = await see("/admin/backups");
    const [, next = ""] = /rel="next" href="([^"]+)"/.exec(first) ?? [];
    const second = await see(next.replaceAll("&#38;", "&"));
    expect(second.match(/class="title"/g)).toHaveLength(1);
    expect(second).toContain(">First page</a>");
  });
});

describe("a set", () => {
  test("counts its types, says what was left out and why, and marks secrets that no backup holds", async () => {
    const set = await createSet(installation.db, {
      tenant: world.contoso,
      types: ["deviceConfigurations", "conditionalAccessPolicies"],
      skipped: [{ type: "conditionalAccessPolicies", why: "Policy.Read.All is not granted" }],
      items: [{ name: "Wi-Fi", notCaptured: ["/wifi/0/preSharedKey"] }, { name: "Kiosk" }],
    });
    const page = await see(`/admin/backups/${set.id}`);
    expect(page).toContain("2 policies of 2 types.");
    expect(page).toContain("Left out: conditional access policies (Policy.Read.All is not granted).");
    expect(page).toContain("Some left out");
    expect(page).toContain("Not captured, not restorable: <code>wifi[0].preSharedKey</code>");
  });

  test("finds policies by type and name, and offers to restore just those", async () => {
    const set = await createSet(installation.db, {
      tenant: world.contoso,
      types: ["deviceConfigurations", "assignmentFilters"],
      items: [{ name: "VPN for all" }, { name: "Kiosk" }, { name: "vpn phones", type: "assignmentFilters" }],
    });
    const page = await see(`/admin/backups/${set.id}?text=VPN`);
    expect(page).toContain("VPN for all");
    expect(page).toContain("vpn phones");
    expect(page).not.toContain("Kiosk");
    expect(page).toContain("Restore all 2 that match …");
    const none = await see(`/admin/backups/${set.id}?text=VPN&type=conditionalAccessPolicies`);
    expect(none).toContain("No policy matches these filters.");
  });

  test("that is being taken updates itself and offers neither download nor restore", async () => {
    const { db } = installation;
    const { northwind: workspace, contoso: tenant } = world;
    const run = await createRun(db, { workspace, tenant, operation: "backup.create", status: "running" });
    const set = await createSet(db, { id: run.id, tenant, isComplete: false });
    const address = `/admin/backups/${set.id}`;
    const page = await see(address);
    expect(page).toContain("It is being taken");
    expect(page).toContain(`hx-get="${address}"`);
    expect(page).not.toMatch(/\/(download|restores\/new)"/);
    const download = await (await signIn(app, world.olivia.email)).get(`${address}/download`);
    expect(download.status).toBe(409);
    expect(await see(`${address}/restores/new`)).toContain("It can be restored once it is complete.");
  });

  test("shows names and payloads as text, never as markup", async () => {
    const set = await createSet(installation.db, {
      tenant: world.contoso,
      items: [{ name: evil, payload: { [evil]: evil }, assignments: [], notCaptured: [`/${evil}`] }],
    });
    const pages = [
      await see(`/admin/backups/${set.id}`),
      await see(`/admin/backups/${set.id}/items/${set.items[0]}`),
      await see(`/admin/backups/${set.id}/restores/new?item=${set.items[0]}`),
    ];
    for (const page of pages) {
      expect(page).not.toContain("<script>alert");
      expect(page).toContain(escaped);
    }
  });
});

describe("an item", () => {
  test("shows its payload as JSON, whom it is assigned to by name, and what is not captured", async () => {
    const group = (id: string, kind = "groupAssignmentTarget") => ({
      target: { "@odata.type": `#microsoft.graph.${kind}`, groupId: id },
    });
    const set = await createSet(installation.db, {
      tenant: world.contoso,
      items: [
        {
          name: "Wi-Fi",
          payload: { ssid: "office", deep: { list: [1] } },
          notCaptured: ["/preSharedKey"],
          refers: { groups: { a: "All staff" } },
          assignments: [group("a"), group("b", "exclusionGroupAssignmentTarget")],
        },
      ],
    });
    const page = await see(`/admin/backups/${set.id}/items/${set.items[0]}`);
    expect(page).toContain("&#34;deep&#34;: {\n    &#34;list&#34;: [");
    expect(page).toMatch(/<li>All staff <code class="muted">a<\/code>/);
    expect(page).toMatch(/<strong>Not<\/strong> A group whose name is not known <code class="muted">b</);
    expect(page).toContain("<code>preSharedKey</code>");
    expect(page).toMatch(/data-copy="payload" hidden/);
  });

  test("says of what has no assignments of its own why that is", async () => {
    const items = [
      { name: "MFA", type: "conditionalAccessPolicies" as const },
      { name: "Corporate", type: "assignmentFilters" as const },
    ];
    const set = await createSet(installation.db, { tenant: world.contoso, items });
    expect(await see(`/admin/backups/${set.id}/items/${set.items[0]}`)).toContain(
      "say themselves whom they are for",
    );
    expect(await see(`/admin/backups/${set.id}/items/${set.items[1]}`)).toContain(
      "Assignment filters are assigned to nobody: policies refer to them.",
    );
  });

  test("that is huge is cut, and says so", async () => {
    const payload = { list: Array.from({ length: 40_000 }, (_, n) => `value ${n}`) };
    const set = await createSet(installation.db, {
      tenant: world.contoso,
      items: [{ name: "Huge", payload }],
    });
    const page = await see(`/admin/backups/${set.id}/items/${set.items[0]}`);
    expect(page.length).toBeLessThan(500_000);
    expect(page).toMatch(/[\d,]+ characters are left out\. The download holds all of it\./);
  });

  test("of another set is not there", async () => {
    const { db } = installation;
    const set = await createSet(db, { tenant: world.contoso, items: [{ name: "One" }] });
    const other = await createSet(db, { tenant: world.contoso, items: [{ name: "Two" }] });
    const browser = await signIn(app, world.olivia.email);
    for (const item of [other.items[0], randomUUID(), "nonsense"])
      expect((await browser.get(`/admin/backups/${set.id}/items/${item}`)).status).toBe(404);
  });
});

describe("a comparison", () => {
  test("of two backups counts, filters and shows each field that differs", async () => {
    const { db } = installation;
    const before = await createSet(db, {
      tenant: world.contoso,
      items: [
        { name: "Same", payload: { a: 1 } },
        { name: evil, payload: { a: "old" } },
        { name: "Only in the first", payload: {} },
      ],
    });
    const after = await createSet(db, {
      tenant: world.contoso,
      items: [
        { name: "Same", payload: { a: 1 } },
        { name: evil, payload: { a: "new" } },
      ],
    });
    const address = `/admin/backups/${before.id}/comparison`;
    expect(await see(address)).toContain(`<option value="${after.id}">`);
    const page = await see(`${address}?with=${after.id}`);
    expect(page).toContain(
      "1 policy differs, 1 only in this backup, 0 only in the other; 1 policy is the same<",
    );
    const changed = await see(`${address}?with=${after.id}&comparison=changed`);
    expect(changed).not.toContain("Only in the first");
    const [, item = ""] = /href="([^"]+\/comparison\/item[^"]+)"/.exec(changed) ?? [];
    const diff = await see(item.replaceAll("&#38;", "&").replaceAll("&amp;", "&"));
    expect(diff).toContain(escaped);
    expect(diff).toMatch(/<code>a<\/code>.*&#34;old&#34;.*&#34;new&#34;/s);
  });

  test("with the present inventory shows what has changed since", async () => {
    const type = "deviceConfigurations";
    await putDirectory(installation, world.contoso);
    const policy = { "@odata.type": "#microsoft.graph.windows10GeneralConfiguration", displayName: "Kiosk" };
    const put = (description: string) =>
      installation.control.putPolicy(world.contoso.directoryId, type, "kiosk", { ...policy, description });
    await put("before");
    const setId = await backUp(installation, world, [type]);
    await put("after");
    const { directoryId } = world.contoso;
    await installation.control.putPolicy(directoryId, type, "new", { ...policy, displayName: "Newcomer" });
    const browser = await signIn(app, world.olivia.email);
    await submit(
      browser,
      `/admin/tenants/${world.contoso.id}`,
      `/admin/tenants/${world.contoso.id}/operations`,
      {
        operation: "inventory.sync",
        request_key: randomUUID(),
      },
    );
    await drainQueue(installation.worker);
    const page = await see(`/admin/backups/${setId}/comparison?with=inventory`);
    expect(page).toContain("1 policy differs, 0 only in this backup, 1 only in the other");
    const [, item = ""] = /href="([^"]+\/comparison\/item[^"]+)"/.exec(page) ?? [];
    expect(await see(item.replaceAll("&#38;", "&").replaceAll("&amp;", "&"))).toMatch(
      /&#34;before&#34;.*&#34;after&#34;/s,
    );
    const [, newcomer = ""] = /href="([^"]+)">Newcomer/.exec(page) ?? [];
    expect(newcomer).toMatch(/^\/admin\/inventory\//);
    expect(await see(newcomer)).toContain("<h1>Newcomer");
  });

  test("with a set of a tenant somebody is not entitled to is as absent as one that does not exist", async () => {
    const { db } = installation;
    const adatum = await createTenant(db, { workspace: world.northwind, name: "Adatum Health" });
    const elsewhere = await createTenant(db, { workspace: await createWorkspace(db), name: "Elsewhere" });
    const own = await createSet(db, { tenant: adatum });
    const sam = await createMember(db, { workspace: world.northwind, role: "readonly", tenant: adatum });
    const browser = await signIn(app, sam.email);
    const address = `/admin/backups/${own.id}/comparison`;
    expect((await browser.get(address)).text).not.toContain("Contoso");
    const bodies = new Set<string>();
    for (const tenant of [world.contoso, elsewhere]) {
      const { id } = await createSet(db, { tenant });
      for (const path of [`?with=${id}`, `/item?with=${id}&left=${randomUUID()}&right=${randomUUID()}`]) {
        const answer = await browser.get(`${address}${path}`);
        expect(answer.status).toBe(404);
        bodies.add(answer.text);
      }
    }
    bodies.add((await browser.get(`${address}?with=${randomUUID()}`)).text);
    expect(bodies.size).toBe(1);
  });
});
