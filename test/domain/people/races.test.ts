import { expect, test } from "@jest/globals";
import { loadViewer, may } from "../../../server/domain/authority/viewer.ts";
import { Conflict, Forbidden, NotFound } from "../../../server/domain/errors.ts";
import { changeMemberRole, removeMember } from "../../../server/domain/people/changeMember.ts";
import { findMember } from "../../../server/domain/people/members.ts";
import { useDatabase } from "../../helpers/database.ts";
import { createMember, createWorkspace, getRole } from "../../helpers/factories.ts";
import { openSession, until } from "../../helpers/interleaving.ts";

const database = useDatabase();

async function seedOwners() {
  const { db } = database;
  const workspace = await createWorkspace(db);
  const ada = await createMember(db, { workspace, role: "owner", name: "Ada" });
  const ben = await createMember(db, { workspace, role: "owner", name: "Ben" });
  const readonly = await getRole(db, workspace, "readonly");
  return { db, workspace, ada, ben, readonly };
}

/** Holds an advisory lock that both wait for, lets go of it once they do, and tells how each ended. */
async function meetAt(lock: string, id: string, both: readonly (() => Promise<unknown>)[]) {
  const gatekeeper = await openSession(database.url);
  await gatekeeper.query("begin");
  await gatekeeper.query(`select pg_advisory_xact_lock(${lock})`, [id]);
  const started = both.map((start) => start());
  const ended = Promise.allSettled(started);
  await until(async () => (await waiting()) === both.length);
  await gatekeeper.query("commit");
  await gatekeeper.end();
  return ended;
}

async function waiting(): Promise<number> {
  const rows = await database.db.query(
    `select distinct pid from pg_locks where locktype = 'advisory' and not granted
     and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.length;
}

const ownersLock = "hashtextextended('owners:' || $1::text, 0)";
const workspaceKey = "authority_key('workspace', $1::uuid)";

test("of two last owners who step down at the same moment, one stays", async () => {
  const { db, workspace, ada, ben, readonly } = await seedOwners();
  const stepDown = (user: typeof ada) => () =>
    changeMemberRole(db, {
      actor: user,
      workspaceId: workspace.id,
      userId: user.id,
      roleId: readonly.id,
    });
  const ended = await meetAt(ownersLock, workspace.id, [stepDown(ada), stepDown(ben)]);
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(ended).toContainEqual({ status: "rejected", reason: expect.any(Conflict) });
  const left = await db.query(
    `select 1 from role_assignments a join roles r on r.id = a.role_id
     where a.workspace_id = $1 and r.key = 'owner'`,
    [workspace.id],
  );
  expect(left).toHaveLength(1);
});

test("control: looking for another owner without that lock loses both", async () => {
  const { db, workspace, ada, ben } = await seedOwners();
  const sessions = [await openSession(database.url), await openSession(database.url)];
  const others = async (session: (typeof sessions)[number], user: typeof ada) => {
    await session.query("begin");
    return session.query(
      `select 1 from role_assignments a join roles r on r.id = a.role_id
       where a.workspace_id = $1 and r.key = 'owner' and a.user_id <> $2`,
      [workspace.id, user.id],
    );
  };
  const people = [ada, ben];
  for (const [index, session] of sessions.entries())
    expect((await others(session, people[index] ?? ada)).rowCount).toBe(1);
  for (const [index, session] of sessions.entries()) {
    await session.query("delete from memberships where workspace_id = $1 and user_id = $2", [
      workspace.id,
      people[index]?.id,
    ]);
    await session.query("commit");
    await session.end();
  }
  expect(await db.query("select 1 from memberships where workspace_id = $1", [workspace.id])).toEqual([]);
});

test("two owners who remove each other at the same moment: the second has lost the right", async () => {
  const { db, workspace, ada, ben } = await seedOwners();
  const removal = (actor: typeof ada, other: typeof ada) => () =>
    removeMember(db, { actor, workspaceId: workspace.id, userId: other.id });
  const ended = await meetAt(workspaceKey, workspace.id, [removal(ada, ben), removal(ben, ada)]);
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(ended).toContainEqual({ status: "rejected", reason: expect.any(NotFound) });
});

test("an admin whose right goes while they wait changes nobody", async () => {
  const { db, workspace, ada, readonly } = await seedOwners();
  const omar = await createMember(db, { workspace, role: "operator" });
  const revoker = await openSession(database.url);
  await revoker.query("begin");
  await revoker.query("update role_assignments set role_id = $1 where user_id = $2", [readonly.id, ada.id]);
  const removal = removeMember(db, { actor: ada, workspaceId: workspace.id, userId: omar.id });
  const refusal = expect(removal).rejects.toThrow(new Forbidden("member.manage"));
  await until(async () => (await waiting()) === 1);

  // Control: whoever looked before taking the locks would still have let her.
  const seenBefore = await loadViewer(db, ada.id, workspace.id);
  expect(seenBefore !== undefined && may(seenBefore, "member.manage", null)).toBe(true);

  await revoker.query("commit");
  await revoker.end();
  await refusal;
  expect(await findMember(db, workspace.id, omar.id)).toBeDefined();
});
