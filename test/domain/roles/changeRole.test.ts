import { beforeEach, describe, expect, test } from "@jest/globals";
import { builtInRoles } from "../../../server/domain/authority/capabilities.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "../../../server/domain/errors.ts";
import { findMember } from "../../../server/domain/people/members.ts";
import { changeRole, previewRoleChange } from "../../../server/domain/roles/changeRole.ts";
import { copyRole } from "../../../server/domain/roles/copyRole.ts";
import { deleteRole } from "../../../server/domain/roles/deleteRole.ts";
import { findRole, getRole, listRolesWithHolders } from "../../../server/domain/roles/roles.ts";
import { useDatabase } from "../../helpers/database.ts";
import {
  addMember,
  createMember,
  createRole,
  createTenant,
  createWorkspace,
  getRole as getBuiltIn,
  type TestUser,
  type TestWorkspace,
} from "../../helpers/factories.ts";
import { listAudit } from "../../helpers/history.ts";
import { draftFrom, editRole } from "../../helpers/roles.ts";

const database = useDatabase();
const deskRights = ["operations.view", "tenant.view", "inventory.sync", "restore.execute"];

let workspace: TestWorkspace;
let olivia: TestUser;
let desk: { id: string };

beforeEach(async () => {
  const { db } = database;
  workspace = await createWorkspace(db, { name: "Northwind" });
  olivia = await createMember(db, { workspace, role: "owner", name: "Olivia Brandt" });
  desk = await createRole(db, { workspace, key: "desk", name: "Sync desk", capabilities: deskRights });
});

const at = (role: { id: string }, actor = olivia) => ({ actor, workspaceId: workspace.id, roleId: role.id });
const builtIn = (key: string) => getBuiltIn(database.db, workspace, key);

/** Somebody who may change roles and what else is said, at all tenants. */
async function createRoleManager(...also: string[]): Promise<TestUser> {
  const { db } = database;
  await createRole(db, {
    workspace,
    key: "roles",
    name: "Role desk",
    capabilities: ["member.view", "role.manage", ...also],
  });
  return createMember(db, { workspace, role: "roles", name: "Rita" });
}

describe("an edit", () => {
  test("changes name and rights, and its audit entry has both before and after", async () => {
    const { db } = database;
    await editRole(db, at(desk), {
      name: "  Sync   team ",
      without: ["restore.execute"],
      with: ["backup.create"],
    });
    expect(await getRole(db, workspace.id, desk.id)).toEqual({
      id: desk.id,
      name: "Sync team",
      capabilities: ["operations.view", "tenant.view", "inventory.sync", "backup.create"],
      builtIn: false,
    });
    expect(await listAudit(db, desk.id)).toMatchObject([
      {
        action: "role.capability_removed",
        actorId: olivia.id,
        details: {
          role: "Sync team",
          before: { name: "Sync desk", capabilities: expect.arrayContaining(deskRights) },
          after: { name: "Sync team", capabilities: expect.arrayContaining(["backup.create"]) },
          added: ["backup.create"],
          removed: ["restore.execute"],
        },
      },
    ]);
  });

  test("is told by what it does: rights removed, only added, or only another name", async () => {
    const { db } = database;
    await editRole(db, at(desk), { name: "Desk" });
    await editRole(db, at(desk), { with: ["backup.view"] });
    await editRole(db, at(desk), { with: ["schedule.view"], without: ["backup.view"] });
    const actions = (await listAudit(db, desk.id)).map(({ action }) => action);
    expect(actions).toEqual(["role.renamed", "role.capability_added", "role.capability_removed"]);
  });

  test("of a built-in role, of another workspace's and of none is refused", async () => {
    const { db } = database;
    const owner = await getRole(db, workspace.id, (await builtIn("owner")).id);
    await expect(editRole(db, at(owner), { without: ["audit.export"] })).rejects.toMatchObject({
      fields: { role: expect.stringContaining("Owner is built in") },
    });
    const other = await createWorkspace(db);
    const foreign = await createRole(db, { workspace: other, key: "f", capabilities: ["tenant.view"] });
    const draft = { name: "Taken over", capabilities: ["tenant.view"], basedOn: "" };
    await expect(changeRole(db, { ...at(foreign), change: draft })).rejects.toThrow(NotFound);
    const there = { ...at(foreign), workspaceId: other.id };
    const change = draftFrom(await getRole(db, other.id, foreign.id), { name: "Mine" });
    await expect(changeRole(db, { ...there, change })).rejects.toThrow(NotFound);
    expect(await findRole(db, other.id, foreign.id)).toMatchObject({ name: "f" });
  });

  test("takes role.manage at all tenants", async () => {
    const { db } = database;
    const mia = await createMember(db, { workspace, role: "manager" });
    await addMember(db, {
      workspace,
      user: mia,
      role: "owner",
      tenant: await createTenant(db, { workspace }),
    });
    await expect(editRole(db, at(desk, mia), { name: "Mine" })).rejects.toThrow(new Forbidden("role.manage"));
    await expect(deleteRole(db, at(desk, mia))).rejects.toThrow(new Forbidden("role.manage"));
    const draft = { name: "Mine", capabilities: ["tenant.view"] };
    await expect(copyRole(db, { ...at(desk, mia), draft })).rejects.toThrow(new Forbidden("role.manage"));
    expect(await findRole(db, workspace.id, desk.id)).toMatchObject({ name: "Sync desk" });
  });

  test("puts nothing into a role that its author does not hold, but leaves and takes away what is in it", async () => {
    const { db } = database;
    const rita = await createRoleManager("backup.view");
    await expect(editRole(db, at(desk, rita), { with: ["member.manage"] })).rejects.toMatchObject({
      fields: { capabilities: expect.stringContaining("(member.manage)") },
    });
    await editRole(db, at(desk, rita), { with: ["backup.view"], without: ["restore.execute"] });
    await expect(editRole(db, at(desk, rita), { with: ["restore.execute"] })).rejects.toThrow(Invalid);
    expect((await getRole(db, workspace.id, desk.id)).capabilities).toEqual([
      "operations.view",
      "tenant.view",
      "backup.view",
      "inventory.sync",
    ]);
  });

  test("a right held at one tenant only is none to put into a role", async () => {
    const { db } = database;
    const rita = await createRoleManager();
    const tenant = await createTenant(db, { workspace });
    await addMember(db, { workspace, user: rita, role: "manager", tenant });
    await expect(editRole(db, at(desk, rita), { with: ["backup.delete"] })).rejects.toThrow(Invalid);
  });

  test.each([
    [{ name: "" }, "name", "Give the role a name."],
    [{ name: "x".repeat(101) }, "name", "Keep the name to 100 characters."],
    [{ name: "Own\u200ber" }, "name", "cannot be seen"],
    [{ name: "  oWNER " }, "name", "has that name"],
    [{ with: ["tenant.explode"] }, "capabilities", "There is no right called tenant.explode."],
    [{ without: deskRights }, "capabilities", "Choose at least one right."],
    [{}, "based_on", "Nothing is changed yet"],
  ])("%j cannot be used", async (edit, field, words) => {
    const { db } = database;
    await expect(editRole(db, at(desk), edit)).rejects.toMatchObject({
      fields: { [field]: expect.stringContaining(words) },
    });
    expect(await listAudit(db, desk.id)).toEqual([]);
  });

  test("made from a role that was changed meanwhile is refused, and nothing of either is lost", async () => {
    const { db } = database;
    const seen = await getRole(db, workspace.id, desk.id);
    await editRole(db, at(desk), { without: ["restore.execute"] });
    const change = draftFrom(seen, { name: "Sync team" });
    await expect(changeRole(db, { ...at(desk), change })).rejects.toMatchObject({
      fields: { based_on: expect.stringContaining("was changed by somebody else meanwhile") },
    });
    const now = await getRole(db, workspace.id, desk.id);
    expect(now).toMatchObject({ name: "Sync desk" });
    expect(now.capabilities).not.toContain("restore.execute");
  });

  test("drops a right that this release does not know, and says so", async () => {
    const { db } = database;
    const odd = await createRole(db, {
      workspace,
      key: "odd",
      capabilities: ["tenant.view", "tenant.explode"],
    });
    const { name } = await getRole(db, workspace.id, odd.id);
    const receipt = await editRole(db, at(odd), { name, without: ["tenant.explode"] });
    expect(receipt.removed).toEqual(["tenant.explode"]);
  });
});

describe("the last owner", () => {
  const everything = builtInRoles[0]?.capabilities ?? [];

  /** A workspace whose only owner is one through a role of its own, whatever that is called. */
  async function ownThroughCustom() {
    const { db } = database;
    const chief = await createRole(db, { workspace, key: "chief", name: "Chief", capabilities: everything });
    const ada = await createMember(db, { workspace, role: "chief", name: "Ada" });
    await db.query("delete from memberships where user_id = $1", [olivia.id]);
    return { chief, ada };
  }

  test("stays one: neither of an owner's rights goes from the role that makes the only one", async () => {
    const { db } = database;
    const { chief, ada } = await ownThroughCustom();
    for (const right of ["workspace.manage", "member.manage"]) {
      const change = draftFrom(await getRole(db, workspace.id, chief.id), { without: [right] });
      expect(await previewRoleChange(db, at(chief), change)).toMatchObject({ takesLastOwner: true });
      await expect(changeRole(db, { ...at(chief, ada), change })).rejects.toThrow(
        new Conflict(
          "Northwind has no owner but through Chief. Make somebody an owner through another role first.",
        ),
      );
    }
    await editRole(db, at(chief, ada), { without: ["audit.export"] });
    expect((await getRole(db, workspace.id, chief.id)).capabilities).toHaveLength(everything.length - 1);
  });

  test("who is one through another role as well does not keep it from being changed", async () => {
    const { db } = database;
    const { chief, ada } = await ownThroughCustom();
    await addMember(db, { workspace, user: ada, role: "owner" });
    await editRole(db, at(chief, ada), { without: ["workspace.manage"] });
    expect((await getRole(db, workspace.id, chief.id)).capabilities).not.toContain("workspace.manage");
  });

  test("an owner whose account is disabled does not stand in", async () => {
    const { db } = database;
    const { chief, ada } = await ownThroughCustom();
    const gone = await createMember(db, { workspace, role: "owner" });
    await db.query("update users set status = 'disabled' where id = $1", [gone.id]);
    await expect(editRole(db, at(chief, ada), { without: ["member.manage"] })).rejects.toThrow(Conflict);
  });
});

describe("a copy", () => {
  test("is a role of the workspace's own, held by nobody, with its audit entry", async () => {
    const { db } = database;
    const operator = await builtIn("operator");
    const draft = { name: "Night shift", capabilities: ["operations.view", "inventory.sync"] };
    const { id } = await copyRole(db, { ...at(operator), draft });
    const listed = (await listRolesWithHolders(db, workspace.id)).find((role) => role.id === id);
    expect(listed).toMatchObject({ ...draft, builtIn: false, holders: 0 });
    expect(await listAudit(db, id)).toMatchObject([
      {
        action: "role.created",
        actorId: olivia.id,
        details: { copyOf: "Operator", before: null, after: draft },
      },
    ]);
  });

  test("needs a name of its own, rights that exist, and rights that its author holds", async () => {
    const { db } = database;
    const rita = await createRoleManager();
    const copy = (name: string, ...capabilities: string[]) =>
      copyRole(db, { ...at(desk, rita), draft: { name, capabilities } });
    await expect(copy("sync DESK", "member.view")).rejects.toThrow(Invalid);
    await expect(copy("New", "tenant.explode")).rejects.toThrow(Invalid);
    await expect(copy("New", "restore.execute")).rejects.toMatchObject({
      fields: { capabilities: expect.stringContaining("(restore.execute)") },
    });
    await copy("New", "member.view");
  });

  test("is refused once there are as many roles as lists show", async () => {
    const { db } = database;
    await db.query(
      `insert into roles (id, workspace_id, key, name, capabilities)
       select gen_random_uuid(), $1, 'r' || n, 'R ' || n, '{tenant.view}' from generate_series(1, 195) n`,
      [workspace.id],
    );
    const draft = { name: "One more", capabilities: ["tenant.view"] };
    await expect(copyRole(db, { ...at(desk), draft })).rejects.toThrow(Conflict);
  });
});

describe("deleting", () => {
  test("takes a role that nobody holds, and what has lapsed of it", async () => {
    const { db } = database;
    const past = new Date(Date.now() - 1000);
    const sam = await createMember(db, { workspace, role: "desk", expiresAt: past });
    expect(await deleteRole(db, at(desk))).toBe("Sync desk");
    expect(await findRole(db, workspace.id, desk.id)).toBeUndefined();
    expect((await findMember(db, workspace.id, sam.id))?.assignments).toEqual([]);
    expect(await listAudit(db, desk.id)).toMatchObject([
      { action: "role.deleted", details: { before: { name: "Sync desk" }, after: null } },
    ]);
  });

  test("says who must be given another role first, and refuses built-in ones", async () => {
    const { db } = database;
    await createMember(db, { workspace, role: "desk", name: "Hugo" });
    await createMember(db, {
      workspace,
      role: "desk",
      name: "Ida",
      tenant: await createTenant(db, { workspace }),
    });
    await expect(deleteRole(db, at(desk))).rejects.toThrow(
      new Conflict("Sync desk is held by 2 members. Give Hugo and Ida another role first, or end theirs."),
    );
    await expect(deleteRole(db, at(await builtIn("readonly")))).rejects.toThrow(Invalid);
    expect(await findRole(db, workspace.id, desk.id)).toBeDefined();
  });
});
