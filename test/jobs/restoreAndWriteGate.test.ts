import { beforeEach, describe, expect, test } from "@jest/globals";
import { addTenant, backUp, confirm, listPlan, preview, putDirectory, restore } from "../helpers/backups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, until } from "../helpers/interleaving.ts";
import { grantedRoles, type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, listNotifications } from "../helpers/records.ts";

/** The write gate, from a restore's side: what closes it stops every write, whenever that happens. */

const installation = useInstallation();
const type = "deviceConfigurations";
let world: Northwind;
let planId: string;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  const ids = ["a", "b", "c"];
  for (const id of ids) await put(id, "as it should be");
  const setId = await backUp(installation, world, [type]);
  for (const id of ids) await put(id, "changed since");
  planId = await preview(installation, world, { setId, types: [type] });
  await installation.control.clearRequests();
});

/** What closes it, and the words that say so on the run. */
const closings: Record<string, [sql: string, says: RegExp]> = {
  "the last verification is too old": [
    "verified_at = now() - interval '25 hours'",
    /the last verification is too old/,
  ],
  "the credential has expired": [
    "credential_expires_at = now() - interval '1 minute'",
    /the credential has expired/,
  ],
  "a permission to write was taken back": [
    `granted_roles = '{DeviceManagementConfiguration.Read.All,Organization.Read.All,Group.Read.All}'`,
    /DeviceManagementConfiguration\.ReadWrite\.All is not granted/,
  ],
};

describe.each(Object.entries(closings))("%s", (_name, [change, says]) => {
  test("before it is asked for: the run is stored, blocked at once", async () => {
    await close(change);
    const run = await confirmAnyway();
    await expectBlocked(run, "request", says);
    expect(await writes()).toBe(0);
  });

  test("while it waits: it never begins", async () => {
    const run = await confirm(installation, world, planId);
    await close(change);
    await drainQueue(installation.worker);
    await expectBlocked(run, "begin", says);
    expect(await getRun(installation.db, run)).toMatchObject({ startedAt: null, effectsDone: 0 });
    expect(await writes()).toBe(0);
  });

  test("in mid-run: what was on the wire is settled, and nothing more is written", async () => {
    const { control, worker } = installation;
    const run = await confirm(installation, world, planId);
    await control.setFaults(world.contoso.directoryId, [{ kind: "hold", method: "PATCH", times: 1 }]);
    const working = follow(drainQueue(worker));
    await until(async () => (await writes()) === 1);
    await close(change);
    await control.clearFaults(world.contoso.directoryId);
    await working.result;
    await expectBlocked(run, "checkpoint", says);
    expect(await writes()).toBe(1);
    const results = (await listPlan(installation.db, planId)).map(({ result }) => result);
    expect(results).toEqual(["updated", null, null]);
  });
});

test("a fresh verification opens it again, for a run that is asked for anew", async () => {
  const { db, worker } = installation;
  await close("verified_at = now() - interval '25 hours'");
  await expectBlocked(await confirmAnyway(), "request", /too old/);
  await requestAs(db, world.omar, "provider.connection.verify", world.contoso);
  await drainQueue(worker);
  const run = await restore(installation, world, planId);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { updated: 3 } });
});

test("it keeps writes out, not reading: a preview, a sync and a backup go on", async () => {
  const { db, worker } = installation;
  const setId = await backUp(installation, world, [type]);
  await close("verified_at = now() - interval '25 hours'");
  const previewed = await preview(installation, world, { setId, types: [type] });
  expect(await getRun(db, previewed)).toMatchObject({ outcome: "succeeded" });
  for (const operation of ["inventory.sync", "backup.create"] as const) {
    const run = await requestAs(db, world.omar, operation, world.contoso);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
  }
});

test("each tenant has its own: the source's being closed does not keep a restore from another", async () => {
  const { db } = installation;
  const fabrikam = await addTenant(installation, world);
  await putDirectory(installation, fabrikam, { roles: grantedRoles });
  const setId = await backUp(installation, world, [type]);
  const elsewhere = await preview(installation, world, { setId, types: [type], tenant: fabrikam });
  await close("verified_at = now() - interval '25 hours'");
  const run = await confirmAt(elsewhere);
  await drainQueue(installation.worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { created: 3 } });
});

function put(id: string, description: string): Promise<unknown> {
  const payload = {
    "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
    displayName: `Policy ${id}`,
    description,
    passwordRequired: true,
  };
  return installation.control.putPolicy(world.contoso.directoryId, type, id, payload, []);
}

function close(change: string): Promise<unknown> {
  return installation.db.query(`update provider_connections set ${change} where id = $1`, [
    world.connection.id,
  ]);
}

function confirmAt(plan: string): Promise<string> {
  return confirm(installation, world, plan);
}

/** Confirms it although the gate is closed, and finds the run that was stored, blocked. */
async function confirmAnyway(): Promise<string> {
  await expect(confirmAt(planId)).rejects.toThrow('"blocked":true');
  const [run] = await installation.db.query<{ id: string }>(
    "select id from operation_runs where operation = 'restore.execute' and tenant_id = $1 order by id desc limit 1",
    [world.contoso.id],
  );
  if (run === undefined) throw new Error("No run was stored.");
  return run.id;
}

async function expectBlocked(run: string, phase: string, says: RegExp): Promise<void> {
  const { db } = installation;
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "write_gate_blocked" });
  const [denied] = await db.query<{ phase: string; value: string }>(
    `select phase, checks -> 'write_gate' ->> 'value' as value from execution_decisions
     where run_id = $1 and verdict = 'denied'`,
    [run],
  );
  expect(denied).toEqual({ phase, value: expect.stringMatching(says) });
  expect(await listNotifications(db, run)).toMatchObject([{ userId: world.olivia.id }]);
}

async function writes(): Promise<number> {
  const requests = await installation.control.requests(world.contoso.directoryId);
  return requests.filter(
    ({ kind, method, path }) => kind === "graph" && method !== "GET" && !path.endsWith("$batch"),
  ).length;
}
