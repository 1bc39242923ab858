import { beforeAll, beforeEach, expect, test } from "@jest/globals";
import { beginAttempts } from "../../server/domain/operations/beginAttempts.ts";
import { changeMember } from "../../server/domain/people/changeMember.ts";
import { makeApp, signIn, type TestApp } from "../helpers/app.ts";
import { useDatabase } from "../helpers/database.ts";
import {
  createConnection,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  getRole,
  type TestTenant,
  type TestUser,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { requestAs } from "../helpers/northwind.ts";
import { editRole } from "../helpers/roles.ts";

/** The decision card of a run, when a role was changed between its request and its beginning. */

const database = useDatabase();
let app: TestApp;
let workspace: TestWorkspace;
let contoso: TestTenant;
let olivia: TestUser;
let hugo: TestUser;
let desk: { id: string };
let runId: string;

beforeAll(() => {
  app = makeApp(database.db);
});

beforeEach(async () => {
  const { db } = database;
  workspace = await createWorkspace(db, { name: "Northwind" });
  contoso = await createTenant(db, { workspace, name: "Contoso Retail" });
  await createConnection(db, { tenant: contoso });
  olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  const capabilities = ["operations.view", "tenant.view", "inventory.sync"];
  desk = await createRole(db, { workspace, key: "desk", name: "Sync desk", capabilities });
  hugo = await createMember(db, { workspace, role: "desk", name: "Hugo Weiss" });
  runId = await requestAs(db, hugo, "inventory.sync", contoso);
});

const edit = (change: Parameters<typeof editRole>[2]) =>
  editRole(database.db, { actor: olivia, workspaceId: workspace.id, roleId: desk.id }, change);

/** The run begins, as far as it may, and somebody looks at it. */
async function beginAndSee(person: TestUser): Promise<string> {
  const delivery = { operation: "inventory.sync", runId, jobId: "job" } as const;
  await database.db.transaction((tx) => beginAttempts(tx, [delivery]));
  return see(person, `/admin/operations/${runId}`);
}

async function see(person: TestUser, address: string): Promise<string> {
  const page = await (await signIn(app, person.email)).get(address);
  expect(page.status).toBe(200);
  return page.text;
}

const rowOf = (page: string, check: string) =>
  page.split(`<th scope="row">${check}`)[1]?.split("</tr>")[0] ?? "";

test("a capability taken from the role is what the card names, with its audit entry", async () => {
  await edit({ without: ["inventory.sync"] });
  const page = await beginAndSee(olivia);
  const [, address = ""] =
    /Capability removed from a role by Olivia Brandt, .*href="([^"]+)">audit entry/.exec(
      rowOf(page, "Capability"),
    ) ?? [];
  const entry = await see(olivia, address);
  expect(entry).toContain("Capability removed from a role");
  expect(entry).toContain("<dd>Sync desk</dd>");
  expect(entry).toMatch(/<dt>removed<\/dt><dd><pre>[^<]*inventory\.sync/);
  expect(await see(hugo, `/admin/operations/${runId}`)).not.toContain("audit entry");
});

test("what else was changed in the role, or in a role they do not hold, is not named", async () => {
  const { db } = database;
  const other = await createRole(db, {
    workspace,
    key: "other",
    capabilities: ["inventory.sync", "tenant.view"],
  });
  await edit({ with: ["backup.view"] });
  await editRole(
    db,
    { actor: olivia, workspaceId: workspace.id, roleId: other.id },
    { without: ["inventory.sync"] },
  );
  await db.query("update roles set capabilities = '{operations.view}' where id = $1", [desk.id]);
  expect(await beginAndSee(olivia)).not.toContain("audit entry");
});

test("of what was done to the role and to the person, the later stands at the check", async () => {
  const { db } = database;
  const { id: roleId } = await getRole(db, workspace, "readonly");
  const change = { kind: "assignment", roleId, tenantId: contoso.id, forHours: null } as const;
  const person = { actor: olivia, workspaceId: workspace.id, userId: hugo.id };
  const later = await requestAs(db, hugo, "inventory.sync", contoso);
  await changeMember(db, { ...person, change });
  await edit({ without: ["inventory.sync"] });
  expect(rowOf(await beginAndSee(olivia), "Capability")).toContain("Capability removed from a role by");
  const other = { kind: "assignment", roleId, tenantId: null, forHours: null } as const;
  await changeMember(db, { ...person, change: other });
  runId = later;
  expect(rowOf(await beginAndSee(olivia), "Capability")).toContain("Role given by");
});
