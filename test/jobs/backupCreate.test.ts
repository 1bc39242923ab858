import { beforeEach, describe, expect, test } from "@jest/globals";
import { countBackupItems, listBackupItems } from "../../server/domain/backups/backupItems.ts";
import { findBackupSetFor } from "../../server/domain/backups/backupSets.ts";
import { requestBackup } from "../../server/domain/backups/requestBackup.ts";
import { Invalid } from "../../server/domain/errors.ts";
import { policyTypes } from "../../server/provider/policyTypes.ts";
import { backUp, putDirectory, viewerOf } from "../helpers/backups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, makeJobsDue } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
let directory: string;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  directory = world.contoso.directoryId;
});

const staff = { id: "11111111-0000-4000-8000-000000000001", displayName: "All staff" };
const extras = {
  assignmentFilters: 2,
  roleScopeTags: 1,
  groupPolicyConfigurations: 2,
  deviceManagementScripts: 2,
  conditionalAccessPolicies: 3,
};
const wifi = {
  "@odata.type": "#microsoft.graph.windowsWifiConfiguration",
  displayName: "Office wifi",
  wifiSecurityType: "wpa2Personal",
  preSharedKey: null,
};

async function findSet(setId: string) {
  return findBackupSetFor(installation.db, await viewerOf(installation.db, world, world.olivia), setId);
}

describe("a backup", () => {
  test("keeps every policy of every type as it is given, and whom it is for by name", async () => {
    const { db, control } = installation;
    await putDirectory(installation, world.contoso, { policies: 9, extras, groups: [staff] });
    const run = await backUp(installation, world);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { backed_up: 19 } });
    expect(await findSet(run)).toMatchObject({
      id: run,
      tenantName: "Contoso Retail",
      kind: "backup",
      initiatorName: "Olivia Brandt",
      types: policyTypes,
      items: 19,
      skipped: [],
      state: "complete",
    });
    expect((await countBackupItems(db, run)).reduce((sum, { items }) => sum + items, 0)).toBe(19);
    for (const type of policyTypes) {
      const inDirectory = await control.listPolicies(directory, type);
      const rows = await db.query<{ providerId: string; assigned: number | null }>(
        `select provider_id as "providerId", jsonb_array_length(assignments) as assigned from backup_items
         where set_id = $1 and type = $2 order by provider_id`,
        [run, type],
      );
      expect(rows.map(({ providerId }) => providerId)).toEqual(inDirectory.map(({ id }) => id).sort());
    }
    const [names] = await db.query<{ groups: object }>(
      "select refers -> 'groups' as groups from backup_items where set_id = $1 and refers -> 'groups' <> '{}' limit 1",
      [run],
    );
    expect(names?.groups).toEqual({ [staff.id]: "All staff" });
  });

  test("skips a type it may not read, and says so", async () => {
    const { db } = installation;
    const roles = ["DeviceManagementConfiguration.Read.All"];
    await putDirectory(installation, world.contoso, { policies: 3, extras, roles });
    const run = await backUp(installation, world);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "partially_succeeded",
      failureMessage: expect.stringMatching(
        /PowerShell scripts could not be read: .*; Conditional Access policies could not be read/,
      ),
    });
    expect(await findSet(run)).toMatchObject({
      items: 8,
      state: "complete",
      skipped: [{ type: "deviceManagementScripts" }, { type: "conditionalAccessPolicies" }],
    });
  });

  test("fails when it may read nothing", async () => {
    const { db } = installation;
    await putDirectory(installation, world.contoso, { policies: 3, roles: [] });
    const run = await backUp(installation, world);
    expect(await getRun(db, run)).toMatchObject({ outcome: "failed", failureCode: "provider_refused" });
  });

  test("marks secrets that Microsoft keeps to itself", async () => {
    const { db, control } = installation;
    await control.putPolicy(directory, "deviceConfigurations", "w", wifi);
    const run = await backUp(installation, world);
    const { items } = await listBackupItems(db, run, { type: null, text: "office" }, null);
    expect(items).toMatchObject([{ name: "Office wifi", notCaptured: ["/preSharedKey"] }]);
  });

  test("that is tried again holds what is there then, once", async () => {
    const { db, control, worker } = installation;
    await putDirectory(installation, world.contoso, {
      policies: 6,
      extras: { conditionalAccessPolicies: 1 },
    });
    await control.setFaults(directory, [{ kind: "status", status: 503, path: "conditionalAccess" }]);
    const run = await backUp(installation, world);
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1, tally: { backed_up: 6 } });
    expect(await findSet(run)).toMatchObject({ state: "being_taken", completedAt: null });
    const [gone] = await control.listPolicies(directory, "deviceConfigurations");
    await control.removePolicy(directory, "deviceConfigurations", gone?.id ?? "");
    await control.clearFaults(directory);
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "succeeded",
      attempt: 2,
      tally: { backed_up: 6 },
    });
    expect(await findSet(run)).toMatchObject({ state: "complete", items: 6 });
  });

  test("may be taken by the system, of all types", async () => {
    const { db, worker } = installation;
    await putDirectory(installation, world.contoso, { policies: 3 });
    const run = await requestAs(db, null, "backup.create", world.contoso);
    await drainQueue(worker);
    expect(await findSet(run)).toMatchObject({ items: 3, initiatorName: null, types: policyTypes });
  });

  test("is asked for with types that there are", async () => {
    const { db } = installation;
    const viewer = await viewerOf(db, world, world.olivia);
    const requestKey = crypto.randomUUID();
    const asked = { tenantId: world.contoso.id, requestKey, expiresInHours: 24, force: false };
    await expect(async () => requestBackup(db, viewer, { ...asked, types: [] })).rejects.toThrow(Invalid);
    await expect(async () =>
      requestBackup(db, viewer, { ...asked, types: ["deviceConfigurations", "nonsense"] }),
    ).rejects.toMatchObject({ fields: { types: "There is no such type of policy." } });
  });
});
