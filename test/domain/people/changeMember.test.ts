import { expect, test } from "@jest/globals";
import type { Db } from "../../../server/db/database.ts";
import { capabilities, isCapability } from "../../../server/domain/authority/capabilities.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "../../../server/domain/errors.ts";
import {
  changeMember,
  changeMemberRole,
  previewMemberChange,
  removeMember,
} from "../../../server/domain/people/changeMember.ts";
import { findMember } from "../../../server/domain/people/members.ts";
import { useDatabase } from "../../helpers/database.ts";
import {
  addMember,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  getRole,
  type TestUser,
  type TestWorkspace,
} from "../../helpers/factories.ts";

const database = useDatabase();

async function seed(db: Db) {
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  const omar = await createMember(db, { workspace, role: "operator", name: "Omar Haddad" });
  const role = async (key: string) => (await getRole(db, workspace, key)).id;
  return { workspace, olivia, omar, role };
}

async function rolesOf(db: Db, workspace: TestWorkspace, user: TestUser): Promise<string[]> {
  const member = await findMember(db, workspace.id, user.id);
  return member?.assignments.map((a) => `${a.role.name} at ${a.tenantName ?? "all tenants"}`) ?? [];
}

async function lastAudit(db: Db, userId: string) {
  const [event] = await db.query<{ action: string; actorId: string; details: Record<string, unknown> }>(
    `select action, actor_id as "actorId", details from audit_events where subject_id = $1 order by id desc limit 1`,
    [userId],
  );
  return event;
}

test("a role change replaces what is held at all tenants and leaves single tenants alone", async () => {
  const { db } = database;
  const { workspace, olivia, omar, role } = await seed(db);
  const contoso = await createTenant(db, { workspace, name: "Contoso" });
  await addMember(db, { workspace, user: omar, role: "manager", tenant: contoso });

  await changeMemberRole(db, {
    actor: olivia,
    workspaceId: workspace.id,
    userId: omar.id,
    roleId: await role("readonly"),
  });

  expect(await rolesOf(db, workspace, omar)).toEqual(["Read only at all tenants", "Manager at Contoso"]);
  expect(await lastAudit(db, omar.id)).toMatchObject({
    action: "member.role_changed",
    actorId: olivia.id,
    details: {
      before: [{ role: "Operator", tenantId: null }, { role: "Manager" }],
      after: [{ role: "Read only", tenantId: null }, { role: "Manager" }],
      lost: expect.arrayContaining([{ capability: "inventory.sync", tenantName: null }]),
    },
  });
});

test("one assignment changes its role and keeps its scope and its end", async () => {
  const { db } = database;
  const { workspace, olivia, role } = await seed(db);
  const contoso = await createTenant(db, { workspace, name: "Contoso" });
  const until = new Date(Date.now() + 3_600_000);
  const sam = await createMember(db, { workspace, role: "operator", tenant: contoso, expiresAt: until });
  const assignmentId = (await findMember(db, workspace.id, sam.id))?.assignments[0]?.id ?? "";

  const change = { kind: "assignment_role", assignmentId, roleId: await role("manager") } as const;
  await changeMember(db, { actor: olivia, workspaceId: workspace.id, userId: sam.id, change });

  expect((await findMember(db, workspace.id, sam.id))?.assignments).toMatchObject([
    { id: assignmentId, role: { name: "Manager" }, tenantId: contoso.id, expiresAt: until },
  ]);
});

test("an assignment is added at one tenant until a time, and ended again", async () => {
  const { db } = database;
  const { workspace, olivia, omar, role } = await seed(db);
  const contoso = await createTenant(db, { workspace, name: "Contoso" });
  const person = { actor: olivia, workspaceId: workspace.id, userId: omar.id };
  const roleId = await role("manager");

  await changeMember(db, {
    ...person,
    change: { kind: "assignment", roleId, tenantId: contoso.id, forHours: 8 },
  });
  const added = (await findMember(db, workspace.id, omar.id))?.assignments[1];
  expect(added).toMatchObject({ role: { name: "Manager" }, tenantId: contoso.id, lapsed: false });
  expect(added?.expiresAt?.getTime()).toBeGreaterThan(Date.now() + 7 * 3_600_000);

  await changeMember(db, { ...person, change: { kind: "assignment_end", assignmentId: added?.id ?? "" } });
  expect(await rolesOf(db, workspace, omar)).toEqual(["Operator at all tenants"]);
  expect(await lastAudit(db, omar.id)).toMatchObject({ action: "member.role_ended" });
});

test("a role held already at the same scope is refused, a lapsed one is replaced", async () => {
  const { db } = database;
  const { workspace, olivia, omar, role } = await seed(db);
  const person = { actor: olivia, workspaceId: workspace.id, userId: omar.id };
  const again = {
    kind: "assignment",
    roleId: await role("operator"),
    tenantId: null,
    forHours: null,
  } as const;
  await expect(changeMember(db, { ...person, change: again })).rejects.toThrow(
    new Invalid({ role: "Operator at all tenants is held already." }),
  );

  await db.query("update role_assignments set expires_at = now() - interval '1 hour' where user_id = $1", [
    omar.id,
  ]);
  await changeMember(db, { ...person, change: again });
  expect((await findMember(db, workspace.id, omar.id))?.assignments).toMatchObject([
    { expiresAt: null, lapsed: false },
  ]);
});

test("a removed member holds nothing any more, and the trail says what they held", async () => {
  const { db } = database;
  const { workspace, olivia, omar } = await seed(db);
  await removeMember(db, { actor: olivia, workspaceId: workspace.id, userId: omar.id });

  expect(await findMember(db, workspace.id, omar.id)).toBeUndefined();
  expect(
    await db.query("select 1 from role_assignments where user_id = $1 and workspace_id = $2", [
      omar.id,
      workspace.id,
    ]),
  ).toEqual([]);
  expect(await lastAudit(db, omar.id)).toMatchObject({
    action: "member.removed",
    details: { member: "Omar Haddad", before: [{ role: "Operator" }], after: null },
  });
});

test("the last owner cannot be removed, demoted or given an end; with a second one they can", async () => {
  const { db } = database;
  const { workspace, olivia, omar, role } = await seed(db);
  const person = { actor: olivia, workspaceId: workspace.id, userId: olivia.id };
  const own = (await findMember(db, workspace.id, olivia.id))?.assignments[0]?.id ?? "";
  const demotion = { ...person, roleId: await role("manager") };
  await expect(removeMember(db, person)).rejects.toThrow(Conflict);
  await expect(changeMemberRole(db, demotion)).rejects.toThrow(/last owner of Northwind/);
  await expect(
    changeMember(db, { ...person, change: { kind: "assignment_end", assignmentId: own } }),
  ).rejects.toThrow(Conflict);
  expect(await rolesOf(db, workspace, olivia)).toEqual(["Owner at all tenants"]);

  // Neither a role that ends nor one at a single tenant makes an owner who could stand in.
  const contoso = await createTenant(db, { workspace });
  const ownerRole = await role("owner");
  const give = (tenantId: string | null, forHours: number | null) =>
    changeMember(db, {
      ...person,
      userId: omar.id,
      change: { kind: "assignment", roleId: ownerRole, tenantId, forHours },
    });
  await give(contoso.id, null);
  await expect(removeMember(db, person)).rejects.toThrow(Conflict);
  await changeMemberRole(db, { ...person, userId: omar.id, roleId: ownerRole });
  await changeMemberRole(db, demotion);
  expect(await rolesOf(db, workspace, olivia)).toEqual(["Manager at all tenants"]);
});

test("an owner whose account is disabled does not count as one", async () => {
  const { db } = database;
  const { workspace, olivia } = await seed(db);
  const gone = await createMember(db, { workspace, role: "owner" });
  await db.query("update users set status = 'disabled' where id = $1", [gone.id]);
  const person = { actor: olivia, workspaceId: workspace.id, userId: olivia.id };
  await expect(removeMember(db, person)).rejects.toThrow(Conflict);
  const change = { kind: "removal" } as const;
  expect(await previewMemberChange(db, person, change)).toMatchObject({ takesLastOwner: true });
});

test("nobody gives rights they do not hold themselves", async () => {
  const { db } = database;
  const { workspace, omar, role } = await seed(db);
  await createRole(db, {
    workspace,
    key: "people",
    name: "People",
    capabilities: ["member.view", "member.manage", "operations.view"],
  });
  const petra = await createMember(db, { workspace, role: "people" });
  const person = { actor: petra, workspaceId: workspace.id };
  const everything = Object.keys(capabilities).filter(isCapability).length;

  await expect(
    changeMemberRole(db, { ...person, userId: petra.id, roleId: await role("owner") }),
  ).rejects.toMatchObject({
    fields: { role: expect.stringMatching(new RegExp(`Owner allows more .* and ${everything - 6} more`)) },
  });
  await expect(
    changeMemberRole(db, { ...person, userId: omar.id, roleId: await role("readonly") }),
  ).rejects.toThrow(Invalid);
  expect(await rolesOf(db, workspace, omar)).toEqual(["Operator at all tenants"]);

  // Taking rights away needs none of them.
  await removeMember(db, { ...person, userId: omar.id });
});

test("a right held at one tenant is no right to give it at all of them", async () => {
  const { db } = database;
  const { workspace, omar, role } = await seed(db);
  const contoso = await createTenant(db, { workspace });
  await createRole(db, { workspace, key: "people", capabilities: ["member.manage"] });
  const petra = await createMember(db, { workspace, role: "people" });
  await addMember(db, { workspace, user: petra, role: "manager", tenant: contoso });
  const give = async (tenantId: string | null) =>
    changeMember(db, {
      actor: petra,
      workspaceId: workspace.id,
      userId: omar.id,
      change: { kind: "assignment", roleId: await role("manager"), tenantId, forHours: null },
    });
  await expect(give(null)).rejects.toThrow(Invalid);
  await give(contoso.id);
});

test("a role that names an unknown right cannot be given", async () => {
  const { db } = database;
  const { workspace, olivia, omar } = await seed(db);
  const odd = await createRole(db, { workspace, key: "odd", name: "Odd", capabilities: ["tenant.explode"] });
  await expect(
    changeMemberRole(db, { actor: olivia, workspaceId: workspace.id, userId: omar.id, roleId: odd.id }),
  ).rejects.toMatchObject({ fields: { role: expect.stringContaining("tenant.explode") } });
});

test("roles, tenants and people of other workspaces are out of reach", async () => {
  const { db } = database;
  const { workspace, olivia, omar, role } = await seed(db);
  const other = await seed(db);
  const foreign = await createTenant(db, { workspace: other.workspace });
  const person = { actor: olivia, workspaceId: workspace.id, userId: omar.id };
  await expect(changeMemberRole(db, { ...person, roleId: await other.role("owner") })).rejects.toThrow(
    Invalid,
  );
  const change = {
    kind: "assignment",
    roleId: await role("readonly"),
    tenantId: foreign.id,
    forHours: null,
  } as const;
  await expect(changeMember(db, { ...person, change })).rejects.toMatchObject({
    fields: { tenant: expect.any(String) },
  });
  await expect(removeMember(db, { ...person, userId: other.omar.id })).rejects.toThrow(NotFound);
  await expect(
    removeMember(db, { actor: olivia, workspaceId: other.workspace.id, userId: other.omar.id }),
  ).rejects.toThrow(NotFound);
});

test("without member.manage at all tenants nobody is changed", async () => {
  const { db } = database;
  const { workspace, omar, olivia } = await seed(db);
  const mia = await createMember(db, { workspace, role: "manager" });
  const contoso = await createTenant(db, { workspace });
  await addMember(db, { workspace, user: mia, role: "owner", tenant: contoso });
  const request = { actor: mia, workspaceId: workspace.id, userId: omar.id };
  await expect(removeMember(db, request)).rejects.toThrow(new Forbidden("member.manage"));
  expect(await rolesOf(db, workspace, omar)).toEqual(["Operator at all tenants"]);
  expect(await rolesOf(db, workspace, olivia)).toEqual(["Owner at all tenants"]);
});
