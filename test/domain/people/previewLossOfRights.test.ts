import { expect, test } from "@jest/globals";
import {
  changeMember,
  previewMemberChange,
  removeMember,
} from "../../../server/domain/people/changeMember.ts";
import type { MemberChange } from "../../../server/domain/people/memberChange.ts";
import { findMember } from "../../../server/domain/people/members.ts";
import { previewRoleChange } from "../../../server/domain/roles/changeRole.ts";
import { getRole as getKept } from "../../../server/domain/roles/roles.ts";
import {
  addMember,
  createConnection,
  createRole,
  createTenant,
  getRole,
  placeHold,
} from "../../helpers/factories.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, makeJobsDue } from "../../helpers/queue.ts";
import { getRun } from "../../helpers/records.ts";
import { requestRestoreRun } from "../../helpers/restores.ts";
import { draftFrom, editRole } from "../../helpers/roles.ts";

const installation = useInstallation();

async function seedWaiting() {
  const { db } = installation;
  const world = await seedNorthwind(installation);
  const adatum = await createTenant(db, { workspace: world.northwind, name: "Adatum" });
  await createConnection(db, { tenant: adatum });
  await placeHold(db, { tenant: world.contoso });
  await placeHold(db, { tenant: adatum });
  const runs = [
    await requestAs(db, world.omar, "inventory.sync", world.contoso),
    await requestAs(db, world.omar, "provider.connection.verify", world.contoso),
    await requestAs(db, world.omar, "inventory.sync", adatum),
  ];
  await requestAs(db, world.olivia, "inventory.sync", world.contoso);
  await requestAs(db, null, "inventory.sync", world.contoso);
  const person = { workspaceId: world.northwind.id, userId: world.omar.id };
  const roleId = async (key: string) => (await getRole(db, world.northwind, key)).id;
  return { ...world, adatum, runs, person, roleId };
}

test("removing somebody stops their open runs, of people and the system nobody else's", async () => {
  const { db } = installation;
  const { person } = await seedWaiting();
  expect(await previewMemberChange(db, person, { kind: "removal" })).toMatchObject({
    stops: { queued: 3, running: 0, tenants: 2, more: false },
    takesLastOwner: false,
  });
});

test("a role that still covers the operation stops nothing; one that does not stops what it was for", async () => {
  const { db } = installation;
  const { person, omar, northwind, contoso, roleId } = await seedWaiting();
  const [held] = (await findMember(db, northwind.id, omar.id))?.assignments ?? [];
  const to = async (key: string): Promise<MemberChange> => ({
    kind: "assignment_role",
    assignmentId: held?.id ?? "",
    roleId: await roleId(key),
  });
  const none = { stops: { queued: 0 }, lost: [] };
  expect(await previewMemberChange(db, person, await to("manager"))).toMatchObject(none);
  expect(await previewMemberChange(db, person, await to("readonly"))).toMatchObject({
    stops: { queued: 3, tenants: 2 },
  });

  // What another assignment grants at one tenant goes on there.
  await addMember(db, { workspace: northwind, user: omar, role: "manager", tenant: contoso });
  const preview = await previewMemberChange(db, person, await to("readonly"));
  expect(preview.stops).toMatchObject({ queued: 1, tenants: 1 });
});

test("what would be blocked anyway is not counted", async () => {
  const { db } = installation;
  const { person, adatum } = await seedWaiting();
  await db.query("update tenants set lifecycle = 'suspended' where id = $1", [adatum.id]);
  expect(await previewMemberChange(db, person, { kind: "removal" })).toMatchObject({
    stops: { queued: 2, tenants: 1 },
  });
});

test("what the preview said is what is then blocked", async () => {
  const { db, worker } = installation;
  const { person, olivia, runs } = await seedWaiting();
  const { stops } = await previewMemberChange(db, person, { kind: "removal" });
  const receipt = await removeMember(db, { ...person, actor: olivia });
  expect(receipt).toMatchObject({ member: "Omar Haddad", stops });

  await db.query("delete from tenant_holds");
  await makeJobsDue(db);
  await drainQueue(worker);
  const ended = await Promise.all(runs.map((id) => getRun(db, id)));
  expect(ended.map(({ outcome, reasonCode }) => [outcome, reasonCode])).toEqual(
    Array(stops.queued).fill(["blocked", "initiator_not_entitled"]),
  );
});

test("a right given back before the run begins stops nothing", async () => {
  const { db, worker } = installation;
  const { person, olivia, omar, northwind, runs, roleId } = await seedWaiting();
  const [held] = (await findMember(db, northwind.id, omar.id))?.assignments ?? [];
  const change = async (key: string) =>
    changeMember(db, {
      ...person,
      actor: olivia,
      change: { kind: "assignment_role", assignmentId: held?.id ?? "", roleId: await roleId(key) },
    });
  await change("readonly");
  await change("operator");
  await db.query("delete from tenant_holds");
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, runs[0] ?? "")).toMatchObject({ outcome: "succeeded" });
});

test("a restore is stopped too by what no longer lets its initiator see the backup it takes from", async () => {
  const { db } = installation;
  const world = await seedNorthwind(installation);
  const { northwind, omar, olivia } = world;
  const runId = await requestRestoreRun(db, world);
  const blind = await createRole(db, {
    workspace: northwind,
    key: "blind",
    capabilities: ["operations.view", "restore.execute", "restore.preview"],
  });
  const person = { workspaceId: northwind.id, userId: omar.id };
  const [held] = (await findMember(db, northwind.id, omar.id))?.assignments ?? [];
  const change = { kind: "assignment_role", assignmentId: held?.id ?? "", roleId: blind.id } as const;
  expect(await previewMemberChange(db, person, change)).toMatchObject({ stops: { queued: 1, tenants: 1 } });

  const own = { actor: olivia, workspaceId: northwind.id, roleId: held?.role.id ?? "" };
  const draft = draftFrom(await getKept(db, northwind.id, own.roleId), { without: ["backup.view"] });
  expect(await previewRoleChange(db, own, draft)).toMatchObject({ stops: { queued: 1, tenants: 1 } });
  await editRole(db, own, { without: ["backup.view"] });
  await drainQueue(installation.worker);
  expect(await getRun(db, runId)).toMatchObject({ outcome: "blocked", reasonCode: "missing_capability" });
});
