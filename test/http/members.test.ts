import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "@jest/globals";
import { findMember } from "../../server/domain/people/members.ts";
import { makeApp, signIn, submit, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createConnection,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  getRole,
  placeHold,
  type TestUser,
} from "../helpers/factories.ts";
import { requestAs } from "../helpers/northwind.ts";

const database = useDatabase();
let app: TestApp;
beforeAll(() => {
  app = makeApp(database.db);
});

async function seed() {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  const mia = await createMember(db, { workspace, role: "manager", name: "Mia Lorenz" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  const contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  await createConnection(db, { tenant: contoso });
  const role = async (key: string) => (await getRole(db, workspace, key)).id;
  const assignmentsOf = async (user: TestUser) =>
    (await findMember(db, workspace.id, user.id))?.assignments ?? [];
  return { workspace, olivia, mia, omar, contoso, role, assignmentsOf };
}

const pageOf = ({ id }: TestUser) => `/admin/members/${id}`;

test("the list shows members with their roles, and finds them by name or address", async () => {
  const { olivia, omar } = await seed();
  const browser = await signIn(app, olivia.email);
  const all = await browser.get("/admin/members");
  expect(all.text.indexOf("Mia Lorenz")).toBeLessThan(all.text.indexOf("Omar Haddad"));
  expect(all.text).toContain("Operator at all tenants");
  const found = await browser.get(`/admin/members?search=${encodeURIComponent(omar.email)}`);
  expect(found.text).toContain("Omar Haddad");
  expect(found.text).not.toContain("Mia Lorenz");
  expect((await browser.get("/admin/members?search=zzz")).text).toContain("No members match");
});

test("whoever may see members but not change them finds no forms and is told why", async () => {
  const { mia, omar } = await seed();
  const browser = await signIn(app, mia.email);
  const page = await browser.get(pageOf(omar));
  expect(page.status).toBe(200);
  expect(page.text).toContain("You need member.manage to change and remove members.");
  expect(page.text).not.toContain("Give the role");
  expect(page.text).not.toContain("/removal");
});

test("a role change shows what it stops before it is made, and what it stopped after", async () => {
  const { olivia, omar, contoso, role, assignmentsOf } = await seed();
  await placeHold(database.db, { tenant: contoso });
  await requestAs(database.db, omar, "inventory.sync", contoso);
  await requestAs(database.db, omar, "inventory.sync", contoso);
  const [held] = await assignmentsOf(omar);
  const change = `${pageOf(omar)}/assignments/${held?.id}/role`;
  const readonly = await role("readonly");
  const browser = await signIn(app, olivia.email);

  const asked = await browser.get(`${change}?role=${readonly}`);
  expect(asked.status).toBe(200);
  expect(asked.text).toContain("Change Omar Haddad’s role?");
  expect(asked.text).toContain("From Operator to Read only, at all tenants.");
  expect(asked.text).toContain("What is held then: Read only at all tenants.");
  expect(asked.text).toContain("Changing Omar Haddad’s role will block 2 queued runs in 1 tenant.");
  expect(asked.text).toContain("<code>inventory.sync</code>");
  expect(await assignmentsOf(omar)).toMatchObject([{ role: { name: "Operator" } }]);

  const done = await submit(browser, `${change}?role=${readonly}`, change, { role: readonly });
  expect(done.headers.location).toBe(pageOf(omar));
  const after = await browser.get(pageOf(omar));
  expect(after.text).toContain("Omar Haddad’s role was changed. It blocks 2 queued runs in 1 tenant");
  expect(await assignmentsOf(omar)).toMatchObject([{ role: { name: "Read only" } }]);
});

test("a removal shows what it stops before it is made, then the member is gone", async () => {
  const { olivia, omar, contoso } = await seed();
  await placeHold(database.db, { tenant: contoso });
  await requestAs(database.db, omar, "inventory.sync", contoso);
  const browser = await signIn(app, olivia.email);
  const removal = `${pageOf(omar)}/removal`;
  expect((await browser.get(removal)).text).toContain(
    "Removing Omar Haddad will block 1 queued run in 1 tenant.",
  );
  for (const name of ["", "Omar", "Olivia Brandt"]) {
    const asked = await submit(browser, removal, removal, { name });
    expect(asked.status).toBe(422);
    expect(asked.text).toContain("Type Omar Haddad to confirm.");
  }
  expect((await browser.get(pageOf(omar))).status).toBe(200);
  const done = await submit(browser, removal, removal, { name: "Omar Haddad" });
  expect(done.headers.location).toBe("/admin/members");
  const list = await browser.get("/admin/members");
  expect(list.text).toContain("Omar Haddad was removed. It blocks 1 queued run in 1 tenant");
  expect((await browser.get(pageOf(omar))).status).toBe(404);
});

test("somebody removed while signed in finds nothing any more", async () => {
  const { olivia, omar, contoso } = await seed();
  const browser = await signIn(app, omar.email);
  expect((await browser.get(`/admin/tenants/${contoso.id}`)).status).toBe(200);
  const removal = `${pageOf(omar)}/removal`;
  await submit(await signIn(app, olivia.email), removal, removal, { name: omar.name });
  expect((await browser.get(`/admin/tenants/${contoso.id}`)).status).toBe(404);
  expect((await browser.get("/admin/members")).status).toBe(404);
});

test("the last owner is told so before, and kept when the form is sent all the same", async () => {
  const { olivia, role, assignmentsOf } = await seed();
  const browser = await signIn(app, olivia.email);
  const [held] = await assignmentsOf(olivia);
  const base = `${pageOf(olivia)}/assignments/${held?.id}`;
  const manager = await role("manager");
  const why = "Olivia Brandt is the last owner of Northwind. Make somebody else an owner first.";
  for (const page of [`${base}/role?role=${manager}`, `${base}/end`, `${pageOf(olivia)}/removal`]) {
    const asked = await browser.get(page);
    expect(asked.text).toContain(why);
    expect(asked.text).not.toContain(`action="${page.split("?")[0]}"`);
    const fields = { role: manager, name: olivia.name };
    const sent = await submit(browser, pageOf(olivia), page.split("?")[0] ?? "", fields);
    expect(sent.status).toBe(409);
    expect(sent.text).toContain(why);
  }
  expect(await assignmentsOf(olivia)).toMatchObject([{ role: { name: "Owner" } }]);
});

test("a role is given at one tenant until a time, and ended again", async () => {
  const { olivia, omar, contoso, role, assignmentsOf } = await seed();
  const browser = await signIn(app, olivia.email);
  const given = await submit(browser, pageOf(omar), `${pageOf(omar)}/assignments`, {
    role: await role("manager"),
    tenant: contoso.id,
    for_hours: "8",
  });
  expect(given.status).toBe(303);
  const page = await browser.get(pageOf(omar));
  expect(page.text).toContain("Omar Haddad was given the role.");
  const added = (await assignmentsOf(omar))[1];
  expect(added).toMatchObject({ tenantId: contoso.id, expiresAt: expect.any(Date) });

  const end = `${pageOf(omar)}/assignments/${added?.id}/end`;
  expect((await browser.get(end)).text).toContain("no longer Manager at Contoso Retail");
  expect((await submit(browser, end, end)).status).toBe(303);
  expect(await assignmentsOf(omar)).toHaveLength(1);
});

test("a role that is held already comes back with what was chosen", async () => {
  const { olivia, omar, role } = await seed();
  const browser = await signIn(app, olivia.email);
  const operator = await role("operator");
  const answer = await submit(browser, pageOf(omar), `${pageOf(omar)}/assignments`, {
    role: operator,
    tenant: "",
    for_hours: "24",
  });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("Operator at all tenants is held already.");
  expect(answer.text).toContain(`<option value="${operator}" selected>`);
  expect(answer.text).toContain('<option value="24" selected>');
});

test("changing a role to itself says so next to it", async () => {
  const { olivia, omar, role, assignmentsOf } = await seed();
  const [held] = await assignmentsOf(omar);
  const browser = await signIn(app, olivia.email);
  const answer = await browser.get(
    `${pageOf(omar)}/assignments/${held?.id}/role?role=${await role("operator")}`,
  );
  expect(answer.status).toBe(422);
  expect(answer.text).toContain(`id="problem-${held?.id}">Operator at all tenants is held already.`);
});

test("nobody can give more than they hold: the role is off in the form and refused when sent", async () => {
  const { db } = database;
  const { workspace, omar, role, assignmentsOf } = await seed();
  await createRole(db, { workspace, key: "people", capabilities: ["member.view", "member.manage"] });
  const petra = await createMember(db, { workspace, role: "people" });
  const browser = await signIn(app, petra.email);
  expect((await browser.get(pageOf(omar))).text).toContain("Owner (more than you may give)");
  const owner = await role("owner");
  const answer = await submit(browser, pageOf(omar), `${pageOf(omar)}/assignments`, {
    role: owner,
    tenant: "",
    for_hours: "",
  });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain("Owner allows more than you may yourself");
  const [held] = await assignmentsOf(omar);
  const change = await browser.get(`${pageOf(omar)}/assignments/${held?.id}/role?role=${owner}`);
  expect(change.status).toBe(422);
  expect(await assignmentsOf(omar)).toHaveLength(1);
});

test("an assignment of somebody else is not there on this member's page", async () => {
  const { olivia, omar, mia, assignmentsOf } = await seed();
  const [others] = await assignmentsOf(mia);
  const browser = await signIn(app, olivia.email);
  for (const id of [others?.id, randomUUID(), "nonsense"]) {
    const end = `${pageOf(omar)}/assignments/${id}/end`;
    expect((await browser.get(end)).status).toBe(404);
    expect((await submit(browser, pageOf(omar), end)).status).toBe(404);
  }
});

test("whoever changes themselves lands where they can still be", async () => {
  const { db } = database;
  const { workspace, role } = await seed();
  const second = await createMember(db, { workspace, role: "owner", name: "Second Owner" });
  const [held] = (await findMember(db, workspace.id, second.id))?.assignments ?? [];
  const browser = await signIn(app, second.email);
  const readonly = await role("readonly");
  const change = `${pageOf(second)}/assignments/${held?.id}/role`;
  const done = await submit(browser, `${change}?role=${readonly}`, change, { role: readonly });
  expect(done.headers.location).toBe("/admin");
  expect((await browser.get(pageOf(second))).status).toBe(403);
});
