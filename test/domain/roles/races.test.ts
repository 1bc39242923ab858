import { expect, test } from "@jest/globals";
import { Conflict, Forbidden, Invalid } from "../../../server/domain/errors.ts";
import { changeMember, removeMember } from "../../../server/domain/people/changeMember.ts";
import { disableAccount } from "../../../server/domain/people/disableAccount.ts";
import { findMember } from "../../../server/domain/people/members.ts";
import { changeRole } from "../../../server/domain/roles/changeRole.ts";
import { copyRole } from "../../../server/domain/roles/copyRole.ts";
import { deleteRole } from "../../../server/domain/roles/deleteRole.ts";
import { findRole, getRole } from "../../../server/domain/roles/roles.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createMember, createRole, createWorkspace, getRole as getBuiltIn } from "../../helpers/factories.ts";
import { follow, holdKey, openSession, untilSessionsWait } from "../../helpers/interleaving.ts";
import { draftFrom, editRole } from "../../helpers/roles.ts";

const database = useDatabase();

async function seed() {
  const { db } = database;
  const workspace = await createWorkspace(db, { name: "Northwind" });
  const olivia = await createMember(db, { workspace, role: "owner", name: "Olivia" });
  const capabilities = ["tenant.view", "backup.view", "member.manage", "workspace.manage", "role.manage"];
  const chief = await createRole(db, { workspace, key: "chief", name: "Chief", capabilities });
  const at = { actor: olivia, workspaceId: workspace.id, roleId: chief.id };
  return { db, workspace, olivia, chief, at };
}

/** All of them wait for the workspace's key, in whatever order, and go on once it is let go. */
async function meet(workspaceId: string, both: readonly (() => Promise<unknown>)[]) {
  const letGo = await holdKey(database.url, "workspace", workspaceId);
  const started = both.map((start) => follow(start()));
  await untilSessionsWait(database.db, both.length);
  await letGo();
  return Promise.allSettled(started.map(({ result }) => result));
}

test("of two edits made from the same state, one is kept and the other refused", async () => {
  const { db, workspace, chief, at } = await seed();
  const seen = await getRole(db, workspace.id, chief.id);
  const edit = (right: string) => () =>
    changeRole(db, { ...at, change: draftFrom(seen, { without: [right] }) });
  const ended = await meet(workspace.id, [edit("tenant.view"), edit("backup.view")]);
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(ended).toContainEqual({ status: "rejected", reason: expect.any(Invalid) });
  expect((await getRole(db, workspace.id, chief.id)).capabilities).toHaveLength(seen.capabilities.length - 1);
});

test("control: written without looking again, the second of two edits undoes the first", async () => {
  const { db, workspace, chief } = await seed();
  const seen = await getRole(db, workspace.id, chief.id);
  for (const right of ["tenant.view", "backup.view"])
    await db.query("update roles set capabilities = $2 where id = $1", [
      chief.id,
      seen.capabilities.filter((capability) => capability !== right),
    ]);
  expect((await getRole(db, workspace.id, chief.id)).capabilities).toContain("tenant.view");
});

test("an owner who leaves while the other owner's role is cut: one of the two is refused", async () => {
  const { db, workspace, olivia, at } = await seed();
  const ada = await createMember(db, { workspace, role: "chief", name: "Ada" });
  const cut = () => editRole(db, at, { without: ["workspace.manage"] });
  const leave = () => removeMember(db, { actor: ada, workspaceId: workspace.id, userId: olivia.id });
  const ended = await meet(workspace.id, [cut, leave]);
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const owners = await db.query(
    `select 1 from role_assignments a join roles r on r.id = a.role_id
     where a.workspace_id = $1 and 'workspace.manage' = any (r.capabilities)`,
    [workspace.id],
  );
  expect(owners).toHaveLength(1);
});

test("an owner whose account is disabled while the other owner's role is cut: one of the two is refused", async () => {
  const { db, workspace, olivia, at } = await seed();
  const ada = await createMember(db, { workspace, role: "chief", name: "Ada" });
  const gatekeeper = await openSession(database.url);
  await gatekeeper.query("begin");
  await gatekeeper.query("select pg_advisory_xact_lock(hashtextextended('owners:' || $1::text, 0))", [
    workspace.id,
  ]);
  const both = [
    follow<unknown>(disableAccount(db, { userId: olivia.id, leavesWithoutOwner: false })),
    follow<unknown>(editRole(db, { ...at, actor: ada }, { without: ["workspace.manage"] })),
  ];
  await untilSessionsWait(db, 2);
  await gatekeeper.query("commit");
  await gatekeeper.end();
  const ended = await Promise.allSettled(both.map(({ result }) => result));
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(ended).toContainEqual({ status: "rejected", reason: expect.any(Conflict) });
});

test("control: by hand, where nobody looks for another owner under a lock, both go", async () => {
  const { db, workspace, olivia, chief } = await seed();
  await createMember(db, { workspace, role: "chief" });
  const [one, two] = [await openSession(database.url), await openSession(database.url)];
  const owners = `select distinct a.user_id from role_assignments a join roles r on r.id = a.role_id
    where a.workspace_id = $1 and 'workspace.manage' = any (r.capabilities)`;
  for (const session of [one, two]) {
    await session.query("begin");
    expect((await session.query(owners, [workspace.id])).rowCount).toBe(2);
  }
  await one.query("delete from memberships where workspace_id = $1 and user_id = $2", [
    workspace.id,
    olivia.id,
  ]);
  await one.query("commit");
  await two.query("update roles set capabilities = '{tenant.view}' where id = $1", [chief.id]);
  await two.query("commit");
  expect(await db.query(owners, [workspace.id])).toEqual([]);
  for (const session of [one, two]) await session.end();
});

test("a role that is given while it is deleted is either kept, with its holder, or not given", async () => {
  const { db, workspace, olivia, at, chief } = await seed();
  const omar = await createMember(db, { workspace, role: "operator" });
  const change = { kind: "assignment", roleId: chief.id, tenantId: null, forHours: null } as const;
  const give = () => changeMember(db, { actor: olivia, workspaceId: workspace.id, userId: omar.id, change });
  const ended = await meet(workspace.id, [() => deleteRole(db, at), give]);
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const held = (await findMember(db, workspace.id, omar.id))?.assignments ?? [];
  const isKept = (await findRole(db, workspace.id, chief.id)) !== undefined;
  expect(held).toHaveLength(isKept ? 2 : 1);
});

test("of two copies with one name, one is made", async () => {
  const { db, workspace, at } = await seed();
  const copy = (name: string) => () =>
    copyRole(db, { ...at, draft: { name, capabilities: ["tenant.view"] } });
  const ended = await meet(workspace.id, [copy("Night shift"), copy("night SHIFT")]);
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(ended).toContainEqual({ status: "rejected", reason: expect.any(Invalid) });
});

test("whoever loses role.manage while they wait changes no role", async () => {
  const { db, workspace, at, chief } = await seed();
  const rita = await createMember(db, { workspace, role: "owner" });
  const readonly = await getBuiltIn(db, workspace, "readonly");
  const revoker = await openSession(database.url);
  await revoker.query("begin");
  await revoker.query("update role_assignments set role_id = $1 where user_id = $2", [readonly.id, rita.id]);
  const edit = follow(editRole(db, { ...at, actor: rita }, { name: "Mine" }));
  await untilSessionsWait(db, 1);
  await revoker.query("commit");
  await revoker.end();
  await expect(edit.result).rejects.toThrow(new Forbidden("role.manage"));
  expect(await findRole(db, workspace.id, chief.id)).toMatchObject({ name: "Chief" });
});

test("a conflict over the last owner names the role", async () => {
  const { db, workspace, olivia, at } = await seed();
  const ada = await createMember(db, { workspace, role: "chief", name: "Ada" });
  await removeMember(db, { actor: ada, workspaceId: workspace.id, userId: olivia.id });
  await expect(editRole(db, { ...at, actor: ada }, { without: ["member.manage"] })).rejects.toThrow(Conflict);
});
