import { expect, test } from "@jest/globals";
import { previewRoleChange } from "../../../server/domain/roles/changeRole.ts";
import { getRole } from "../../../server/domain/roles/roles.ts";
import {
  addMember,
  createConnection,
  createMember,
  createRole,
  createTenant,
  placeHold,
} from "../../helpers/factories.ts";
import { useInstallation } from "../../helpers/installation.ts";
import { requestAs, seedNorthwind } from "../../helpers/northwind.ts";
import { drainQueue, makeJobsDue } from "../../helpers/queue.ts";
import { getRun } from "../../helpers/records.ts";
import { draftFrom, editRole } from "../../helpers/roles.ts";
import { createSchedule } from "../../helpers/schedules.ts";

const installation = useInstallation();

/** Hugo and Ida hold Sync desk, Ida at one tenant only; each waits with syncs at two tenants on hold. */
async function seedWaiting() {
  const { db } = installation;
  const world = await seedNorthwind(installation);
  const { northwind, contoso } = world;
  const adatum = await createTenant(db, { workspace: northwind, name: "Adatum" });
  await createConnection(db, { tenant: adatum });
  for (const tenant of [contoso, adatum]) await placeHold(db, { tenant });
  const capabilities = ["operations.view", "inventory.sync", "connection.verify", "schedule.manage"];
  const desk = await createRole(db, { workspace: northwind, key: "desk", name: "Sync desk", capabilities });
  const hugo = await createMember(db, { workspace: northwind, role: "desk", name: "Hugo" });
  const ida = await createMember(db, { workspace: northwind, role: "desk", tenant: contoso, name: "Ida" });
  const runs = [
    await requestAs(db, hugo, "inventory.sync", contoso),
    await requestAs(db, hugo, "inventory.sync", adatum),
    await requestAs(db, ida, "inventory.sync", contoso),
  ];
  const others = [
    await requestAs(db, hugo, "provider.connection.verify", contoso),
    await requestAs(db, world.omar, "inventory.sync", contoso),
    await requestAs(db, null, "inventory.sync", contoso),
  ];
  const at = { actor: world.olivia, workspaceId: northwind.id, roleId: desk.id };
  const preview = async (edit: Parameters<typeof draftFrom>[1]) =>
    previewRoleChange(db, at, draftFrom(await getRole(db, northwind.id, desk.id), edit));
  return { ...world, adatum, hugo, ida, runs, others, at, preview };
}

test("it tells what is then denied: the runs of all who hold the role, and of nobody else", async () => {
  const { db, worker } = installation;
  const { at, runs, others, preview, contoso, adatum } = await seedWaiting();
  const previewed = await preview({ without: ["inventory.sync"] });
  expect(previewed).toMatchObject({ holders: 2, stops: { queued: 3, running: 0, tenants: 2, more: false } });

  expect((await editRole(db, at, { without: ["inventory.sync"] })).stops).toEqual(previewed.stops);
  await db.query("delete from tenant_holds where tenant_id = any ($1)", [[contoso.id, adatum.id]]);
  await makeJobsDue(db);
  await drainQueue(worker);
  for (const id of runs)
    expect(await getRun(db, id)).toMatchObject({ outcome: "blocked", reasonCode: "missing_capability" });
  for (const id of others) expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded" });
});

test("another role that allows the same goes on doing so, and a rename stops nothing", async () => {
  const { db } = installation;
  const { northwind, hugo, contoso, preview } = await seedWaiting();
  await addMember(db, { workspace: northwind, user: hugo, role: "operator", tenant: contoso });
  expect(await preview({ without: ["inventory.sync"] })).toMatchObject({ stops: { queued: 2, tenants: 2 } });
  expect(await preview({ name: "Renamed" })).toMatchObject({ stops: { queued: 0 }, removed: [] });
});

test("schedules of those who can then no longer make them need a new steward", async () => {
  const { db } = installation;
  const { northwind, hugo, ida, omar, contoso, adatum, preview } = await seedWaiting();
  for (const [steward, tenant] of [
    [hugo, contoso],
    [hugo, adatum],
    [ida, contoso],
    // She could not make this one before either, and his rights are of another role.
    [ida, adatum],
    [omar, contoso],
  ] as const)
    await createSchedule(db, { workspace: northwind, tenant, steward });
  expect(await preview({ without: ["inventory.sync"] })).toMatchObject({ schedules: 3 });
  expect(await preview({ without: ["connection.verify"] })).toMatchObject({ schedules: 0 });
  await addMember(db, { workspace: northwind, user: hugo, role: "manager", tenant: contoso });
  expect(await preview({ without: ["schedule.manage"] })).toMatchObject({ schedules: 2 });
});
