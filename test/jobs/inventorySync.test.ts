import { beforeEach, describe, expect, test } from "@jest/globals";
import { putDirectory } from "../helpers/backups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { grantedRoles, type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobs, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation);
});

describe("a sync that is allowed", () => {
  test("reads every policy of the directory into the inventory and says what it found", async () => {
    const { db, worker, control } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      status: "completed",
      outcome: "succeeded",
      attempt: 1,
      tally: { created: 12, changed: 0, unchanged: 0, gone: 0 },
    });
    expect(await inventory()).toHaveLength(12);
    expect(await listDecisions(db, run)).toMatchObject([{ phase: "begin", verdict: "allowed", attempt: 1 }]);
    const actions = await listActions(db, run);
    expect(actions.filter((action) => action !== "run.effect")).toEqual([
      "run.requested",
      "run.started",
      "run.succeeded",
    ]);
    expect(actions.filter((action) => action === "run.effect")).toHaveLength(
      (await getRun(db, run)).effectsDone,
    );
    expect(await listNotifications(db, run)).toMatchObject([
      { userId: world.omar.id, content: { outcome: "succeeded", changed: true } },
    ]);
    expect((await control.requests(world.contoso.directoryId)).length).toBeGreaterThan(3);
    expect(await listJobs(db)).toEqual([]);
  });

  test("skips a type it may not read, and says so by its name", async () => {
    const { db, worker } = installation;
    const roles = ["DeviceManagementConfiguration.Read.All"];
    await putDirectory(installation, world.contoso, { policies: 3, roles });
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "partially_succeeded",
      failureMessage: expect.stringMatching(
        /^PowerShell scripts could not be read: .*; Conditional Access policies could not be read/,
      ),
    });
  });

  test("tells new, changed, unchanged and gone apart, and deletes nothing", async () => {
    const { db, worker, control } = installation;
    await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    const [gone, changed] = (await inventory()).filter(({ type }) => type === "deviceConfigurations");
    if (gone === undefined || changed === undefined) throw new Error("The sandbox has too few policies.");
    await control.removePolicy(world.contoso.directoryId, "deviceConfigurations", gone.providerId);
    await control.putPolicy(world.contoso.directoryId, "deviceConfigurations", changed.providerId, {
      "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
      displayName: "Changed by somebody",
    });
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect((await getRun(db, run)).tally).toEqual({ created: 0, changed: 1, unchanged: 10, gone: 1 });
    const after = await inventory();
    expect(after).toHaveLength(12);
    expect(after.filter(({ goneSince }) => goneSince !== null).map(({ providerId }) => providerId)).toEqual([
      gone.providerId,
    ]);
  });

  test("an attempt that did not list a type to its end marks nothing gone, and a retry starts afresh", async () => {
    const { db, worker, control } = installation;
    await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    await control.setFaults(world.contoso.directoryId, [{ kind: "status", status: 503 }]);
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    const waiting = await getRun(db, run);
    expect(waiting).toMatchObject({ status: "queued", outcome: "pending", attempt: 1 });
    expect(waiting.lastError).toMatch(/^Microsoft did not answer: /);
    expect(waiting.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now());
    expect((await inventory()).filter(({ goneSince }) => goneSince !== null)).toEqual([]);
    await control.clearFaults(world.contoso.directoryId);
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 2, fencingToken: "2" });
    expect(await listDecisions(db, run)).toMatchObject([
      { attempt: 1, verdict: "allowed" },
      { attempt: 2, verdict: "allowed" },
    ]);
  });

  test("goes on where the tenant has no such service", async () => {
    const { db, worker, control } = installation;
    const message = "Request not applicable to target tenant.";
    await control.setFaults(world.contoso.directoryId, [
      { kind: "status", status: 400, message, path: "/conditionalAccess/" },
    ]);
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "partially_succeeded",
      attempt: 1,
      tally: { created: 12 },
      failureMessage: `Conditional Access policies could not be read: ${message}`,
    });
  });

  test("takes a token that cannot be had for no refusal of what it was for: it is tried again", async () => {
    const { db, worker, control } = installation;
    await control.setFaults(world.contoso.directoryId, [{ kind: "aadsts", code: 50_001 }]);
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1 });
    await control.clearFaults(world.contoso.directoryId);
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 2 });
  });

  test("leaves out what it may not read, says so in the product's words, and takes none of it to be gone", async () => {
    const { db, worker, control } = installation;
    const { directoryId } = world.contoso;
    await control.putPolicy(directoryId, "conditionalAccessPolicies", "ca", { displayName: "MFA" });
    await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    const before = await inventory();
    expect(before.map(({ type }) => type)).toContain("conditionalAccessPolicies");
    const app = { clientId: "countersign-client", secret: "a-valid-secret", secretState: "valid" } as const;
    const roles = grantedRoles.filter((role) => !role.startsWith("Policy."));
    await control.setApp(directoryId, { ...app, roles });
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "partially_succeeded",
      tally: { unchanged: 12, gone: 0 },
      failureMessage: expect.stringMatching(/^Conditional Access policies could not be read: /),
    });
    expect(await inventory()).toEqual(before);
  });
});

function inventory() {
  return installation.db.query<{ type: string; providerId: string; goneSince: Date | null }>(
    `select type, provider_id as "providerId", gone_since as "goneSince" from inventory_items
     where tenant_id = $1 order by type, provider_id`,
    [world.contoso.id],
  );
}
