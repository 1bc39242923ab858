import { beforeEach, expect, test } from "@jest/globals";
import { Conflict } from "../../../server/domain/errors.ts";
import { findAccount, previewDisabling } from "../../../server/domain/people/accounts.ts";
import { removeMember } from "../../../server/domain/people/changeMember.ts";
import { disableAccount, enableAccount } from "../../../server/domain/people/disableAccount.ts";
import { addMember, createMember, createUser, createWorkspace } from "../../helpers/factories.ts";
import { listAudit } from "../../helpers/history.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { follow, openSession, untilSessionsWait } from "../../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue } from "../../helpers/queue.ts";
import { getRun } from "../../helpers/records.ts";
import { createSchedule } from "../../helpers/schedules.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 1, omar: "manager" });
});

const disable = (userId: string, leavesWithoutOwner = false) =>
  disableAccount(installation.db, { userId, leavesWithoutOwner });

const statusOf = async ({ email }: { email: string }) => (await findAccount(installation.db, email))?.status;

test("what waits under the account's rights is blocked, in every workspace; enabling lets it ask again", async () => {
  const { db, worker } = installation;
  const { omar, contoso, northwind } = world;
  const elsewhere = await seedNorthwind(installation, { policies: 1 });
  await addMember(db, { workspace: elsewhere.northwind, user: omar, role: "operator" });
  await createSchedule(db, { workspace: northwind, tenant: contoso, steward: omar });
  const runs = [
    await requestAs(db, omar, "inventory.sync", contoso),
    await requestAs(db, omar, "inventory.sync", elsewhere.contoso),
  ];
  const another = await requestAs(db, elsewhere.omar, "inventory.sync", elsewhere.contoso);
  const previewed = await previewDisabling(db, omar.id);
  expect(previewed.map(({ workspace, stops, schedules }) => [workspace.id, stops.queued, schedules])).toEqual(
    expect.arrayContaining([
      [northwind.id, 1, 1],
      [elsewhere.northwind.id, 1, 0],
    ]),
  );

  const receipt = await disable(omar.id);
  expect(receipt).toMatchObject({ at: previewed, drained: { done: 0, failed: 0, unknown: 0 } });
  await drainQueue(worker);
  for (const id of runs)
    expect(await getRun(db, id)).toMatchObject({ outcome: "blocked", reasonCode: "initiator_not_entitled" });
  expect(await getRun(db, another)).toMatchObject({ outcome: "succeeded" });

  await enableAccount(db, omar.id);
  const again = await requestAs(db, omar, "inventory.sync", contoso);
  await drainQueue(worker);
  expect(await getRun(db, again)).toMatchObject({ outcome: "succeeded" });
  for (const id of runs) expect(await getRun(db, id)).toMatchObject({ outcome: "blocked" });
});

test("each workspace's trail has an entry, with what was stopped there and nothing of elsewhere", async () => {
  const { db } = installation;
  const { omar, contoso, northwind } = world;
  const elsewhere = await createWorkspace(db);
  await addMember(db, { workspace: elsewhere, user: omar, role: "readonly" });
  await requestAs(db, omar, "inventory.sync", contoso);
  await disable(omar.id);
  await enableAccount(db, omar.id);
  const entries = await listAudit(db, omar.id);
  expect(entries).toHaveLength(4);
  const at = (workspaceId: string) => entries.filter((entry) => entry.workspaceId === workspaceId);
  expect(at(northwind.id)).toMatchObject([
    {
      action: "account.disabled",
      actorId: null,
      details: { before: "active", after: "disabled", stops: { queued: 1 }, leftWithoutOwner: false },
    },
    { action: "account.enabled", details: { before: "disabled", after: "active" } },
  ]);
  expect(at(elsewhere.id)[0]).toMatchObject({ details: { stops: { queued: 0 } } });
});

test("of somebody who is a member of nothing the entry is the installation's", async () => {
  const { db } = installation;
  const stranger = await createUser(db);
  await disable(stranger.id);
  expect(await listAudit(db, stranger.id)).toMatchObject([{ action: "account.disabled", workspaceId: null }]);
});

test("a workspace's last owner stays, unless it was said that it may be left without", async () => {
  const { db } = installation;
  const { olivia, northwind, contoso } = world;
  // Neither a role at one tenant nor one that ends makes an owner who could stand in, nor does a disabled one.
  await createMember(db, { workspace: northwind, role: "owner", tenant: contoso });
  const soon = new Date(Date.now() + 3_600_000);
  await createMember(db, { workspace: northwind, role: "owner", expiresAt: soon });
  const gone = await createMember(db, { workspace: northwind, role: "owner" });
  await disable(gone.id);
  await expect(disable(olivia.id)).rejects.toThrow(
    new Conflict(
      "Northwind Managed Services would have no owner any more. Make somebody else an owner there first.",
    ),
  );
  expect(await statusOf(olivia)).toBe("active");

  await disable(olivia.id, true);
  expect(await statusOf(olivia)).toBe("disabled");
  expect((await listAudit(db, olivia.id)).at(-1)).toMatchObject({ details: { leftWithoutOwner: true } });
});

test("with another owner anybody can be disabled, and only once", async () => {
  const { db } = installation;
  const { olivia, northwind } = world;
  await createMember(db, { workspace: northwind, role: "owner" });
  await disable(olivia.id);
  await expect(disable(olivia.id)).rejects.toThrow(new Conflict("The account is disabled already."));
  await enableAccount(db, olivia.id);
  await expect(enableAccount(db, olivia.id)).rejects.toThrow(Conflict);
});

test("an owner who is disabled while the other one leaves: one of the two is refused", async () => {
  const { db, url } = installation;
  const { olivia, northwind } = world;
  const second = await createMember(db, { workspace: northwind, role: "owner" });
  const gatekeeper = await openSession(url);
  await gatekeeper.query("begin");
  await gatekeeper.query("select pg_advisory_xact_lock(hashtextextended('owners:' || $1::text, 0))", [
    northwind.id,
  ]);
  const both = [
    follow<unknown>(disable(olivia.id)),
    follow<unknown>(removeMember(db, { actor: second, workspaceId: northwind.id, userId: second.id })),
  ];
  await untilSessionsWait(db, 2);
  await gatekeeper.query("commit");
  await gatekeeper.end();
  const ended = await Promise.allSettled(both.map(({ result }) => result));
  expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(ended).toContainEqual({ status: "rejected", reason: expect.any(Conflict) });
});

test("control: by hand, where nobody looks for another owner under a lock, both go", async () => {
  const { db, url } = installation;
  const { olivia, northwind } = world;
  const second = await createMember(db, { workspace: northwind, role: "owner" });
  const owners = `select 1 from memberships m join users u on u.id = m.user_id and u.status = 'active'
    join role_assignments a on a.user_id = m.user_id and a.workspace_id = m.workspace_id
    join roles r on r.id = a.role_id and r.key = 'owner' where m.workspace_id = $1`;
  const [one, two] = [await openSession(url), await openSession(url)];
  for (const session of [one, two]) {
    await session.query("begin");
    expect((await session.query(owners, [northwind.id])).rowCount).toBe(2);
  }
  await one.query("update users set status = 'disabled' where id = $1", [olivia.id]);
  await two.query("delete from memberships where workspace_id = $1 and user_id = $2", [
    northwind.id,
    second.id,
  ]);
  for (const session of [one, two]) {
    await session.query("commit");
    await session.end();
  }
  expect(await db.query(owners, [northwind.id])).toEqual([]);
});

test("an account is found by its address, whatever its case", async () => {
  const { omar } = world;
  expect(await findAccount(installation.db, ` ${omar.email.toUpperCase()} `)).toMatchObject({
    id: omar.id,
    status: "active",
    sessions: 0,
  });
  expect(await findAccount(installation.db, "nobody@example.com")).toBeUndefined();
});
