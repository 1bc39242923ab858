import { beforeEach, describe, expect, test } from "@jest/globals";
import { listPlanItems, planTallies } from "../../server/domain/restores/planItems.ts";
import { findUndoFor } from "../../server/domain/restores/undo.ts";
import { unknownEffectsOf } from "../../server/domain/restores/unknownEffects.ts";
import { type PolicyType, policyTypes } from "../../server/provider/policyTypes.ts";
import type { JsonObject } from "../../server/provider/port.ts";
import {
  backUp,
  confirm,
  listPlan,
  onlyItem,
  preview,
  putDirectory,
  restore,
  viewerOf,
} from "../helpers/backups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, until } from "../helpers/interleaving.ts";
import { grantedRoles, type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listDecisions } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
let directory: string;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  directory = world.contoso.directoryId;
  await putDirectory(installation, world.contoso, { groups });
});

const staff = "11111111-0000-4000-8000-000000000001";
const pilots = "11111111-0000-4000-8000-000000000002";
const groups = [
  { id: staff, displayName: "All staff" },
  { id: pilots, displayName: "Pilots" },
];
const type = "deviceConfigurations";
const to = (groupId: string): JsonObject => ({
  target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId },
});

async function put(id: string, more: JsonObject = {}, assignments: JsonObject[] = []): Promise<void> {
  const payload = {
    "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
    displayName: `Policy ${id}`,
    description: "as it should be",
    passwordRequired: true,
    ...more,
  };
  await installation.control.putPolicy(directory, type, id, payload, assignments);
}

async function change(id: string): Promise<void> {
  await put(id, { description: "changed by somebody" });
}

async function kept(of: PolicyType = type) {
  const policies = await installation.control.listPolicies(directory, of);
  return policies.map(({ payload, assignments }) => ({ payload, assignments }));
}

/** What somebody changed in a policy of each type; every way of writing has its turn. */
const changeOf: Record<PolicyType, JsonObject> = {
  assignmentFilters: { rule: '(device.deviceOwnership -eq "Personal")' },
  roleScopeTags: { description: "changed" },
  deviceConfigurations: { description: "changed" },
  deviceCompliancePolicies: { description: "changed", scheduledActionsForRule: [] },
  configurationPolicies: { description: "changed", settings: [] },
  groupPolicyConfigurations: { description: "changed", definitionValues: [] },
  deviceManagementScripts: { scriptContent: "Y2hhbmdlZA==" },
  conditionalAccessPolicies: { grantControls: { operator: "OR", builtInControls: ["block"] } },
};

/** The writes that reached the directory, in order. */
async function writes() {
  const requests = await installation.control.requests(directory);
  return requests.filter(
    ({ kind, method, path }) => kind === "graph" && method !== "GET" && !path.endsWith("$batch"),
  );
}

describe("a restore", () => {
  test("of a whole directory brings back every type, and changes nothing the second time", async () => {
    const { db, control } = installation;
    const extras = {
      assignmentFilters: 2,
      roleScopeTags: 2,
      groupPolicyConfigurations: 2,
      deviceManagementScripts: 2,
      conditionalAccessPolicies: 4,
    };
    await putDirectory(installation, world.contoso, { policies: 30, extras, groups });
    const setId = await backUp(installation, world);
    for (const of of policyTypes) {
      const [first, second] = await control.listPolicies(directory, of);
      if (first === undefined || second === undefined) throw new Error(`The sandbox has too few of ${of}.`);
      await control.removePolicy(directory, of, first.id);
      const changed = { ...second.payload, ...changeOf[of] };
      await control.putPolicy(directory, of, second.id, changed, second.assignments);
    }
    const planId = await preview(installation, world, { setId });
    const { actions } = await planTallies(db, planId);
    expect(actions).toMatchObject({ create: 8, refused: 0 });
    expect(actions.update).toBeGreaterThanOrEqual(8);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "succeeded",
      tally: { created: 8, updated: actions.update, unchanged: actions.unchanged },
    });
    const again = await preview(installation, world, { setId });
    expect((await planTallies(db, again)).actions).toEqual({
      create: 0,
      update: 0,
      refused: 0,
      unchanged: 42,
    });
    const afterwards = await backUp(installation, world);
    expect(await comparableItems(afterwards)).toEqual(await comparableItems(setId));
  });

  test("writes what was previewed, keeps what it writes over, and says what became of each item", async () => {
    const { db } = installation;
    for (const id of ["a", "b", "c"]) await put(id, {}, [to(staff)]);
    const setId = await backUp(installation, world, [type]);
    await change("a");
    await installation.control.removePolicy(directory, type, "b");
    const planId = await preview(installation, world, { setId });
    expect(await writes()).toEqual([]);
    const run = await restore(installation, world, planId);
    expect((await listPlan(db, planId)).map(({ name, result }) => [name, result])).toEqual([
      ["Policy a", "updated"],
      ["Policy b", "created"],
      ["Policy c", "unchanged"],
    ]);
    expect(await kept()).toMatchObject([
      { payload: { description: "as it should be" }, assignments: [to(staff)] },
      { payload: { displayName: "Policy c" } },
      { payload: { displayName: "Policy b" }, assignments: [to(staff)] },
    ]);
    const [snapshot, ...others] = await db.query<{ name: string; payload: JsonObject }>(
      "select name, payload from backup_items where set_id = $1",
      [run],
    );
    expect(others).toEqual([]);
    expect(snapshot).toMatchObject({ name: "Policy a", payload: { description: "changed by somebody" } });
  });

  test("is undone by restoring what it kept: exactly what was there, whom it was for included", async () => {
    const { db } = installation;
    await put("a", {}, [to(staff)]);
    const setId = await backUp(installation, world, [type]);
    await put("a", { description: "on purpose" }, [to(pilots)]);
    const run = await restore(installation, world, await preview(installation, world, { setId }));
    expect((await kept())[0]?.assignments).toHaveLength(2);
    const undo = await findUndoFor(db, await viewerOf(db, world, world.olivia), run);
    if (undo === undefined) throw new Error("There is nothing to undo.");
    expect(undo).toMatchObject({ setId: run, types: [type], items: 1 });
    await restore(installation, world, await preview(installation, world, undo));
    expect(await kept()).toMatchObject([
      { payload: { description: "on purpose" }, assignments: [to(pilots)] },
    ]);
    expect((await kept())[0]?.assignments).toHaveLength(1);
  });

  test("of every type is undone to the last field, and undoing that brings back what was restored", async () => {
    const { db, control } = installation;
    const extras = {
      assignmentFilters: 1,
      roleScopeTags: 1,
      groupPolicyConfigurations: 1,
      deviceManagementScripts: 1,
      conditionalAccessPolicies: 4,
    };
    await putDirectory(installation, world.contoso, { policies: 6, extras, groups });
    const block = [{ actionType: "block", gracePeriodHours: 99 }];
    const rule = { ruleName: "PasswordRequired", scheduledActionConfigurations: block };
    const changes = {
      ...changeOf,
      deviceCompliancePolicies: { description: "changed", scheduledActionsForRule: [rule] },
    };
    const restored = await backUp(installation, world);
    for (const of of policyTypes)
      for (const { id, payload, assignments } of await control.listPolicies(directory, of))
        await control.putPolicy(directory, of, id, { ...payload, ...changes[of] }, assignments.slice(1));
    const disturbed = await backUp(installation, world);
    const viewer = await viewerOf(db, world, world.olivia);
    const options = { updatedConditionalAccessState: "as_backed_up" } as const;
    let run = await restore(
      installation,
      world,
      await preview(installation, world, { setId: restored, options }),
    );
    for (const setId of [restored, disturbed, restored]) {
      expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", failureMessage: null });
      expect(await comparableItems(await backUp(installation, world))).toEqual(await comparableItems(setId));
      const undo = await findUndoFor(db, viewer, run);
      if (undo === undefined) throw new Error("There is nothing to undo.");
      run = await restore(installation, world, await preview(installation, world, undo));
    }
  });

  test("starts a Conditional Access policy as report-only, and finds that unchanged the next time", async () => {
    const { db, control } = installation;
    await putDirectory(installation, world.contoso, { extras: { conditionalAccessPolicies: 1 } });
    const [policy] = await control.listPolicies(directory, "conditionalAccessPolicies");
    if (policy === undefined) throw new Error("The sandbox has no such policy.");
    await control.putPolicy(directory, "conditionalAccessPolicies", policy.id, {
      ...policy.payload,
      state: "enabled",
    });
    const setId = await backUp(installation, world);
    await control.removePolicy(directory, "conditionalAccessPolicies", policy.id);
    await restore(installation, world, await preview(installation, world, { setId }));
    expect(await kept("conditionalAccessPolicies")).toMatchObject([
      { payload: { state: "enabledForReportingButNotEnforced" } },
    ]);
    expect(await onlyItem(db, await preview(installation, world, { setId }))).toMatchObject({
      action: "unchanged",
    });
    const options = { updatedConditionalAccessState: "as_backed_up" } as const;
    await restore(installation, world, await preview(installation, world, { setId, options }));
    expect(await kept("conditionalAccessPolicies")).toMatchObject([{ payload: { state: "enabled" } }]);
  });
});

describe("what has moved since the preview", () => {
  test.each([
    ["changed", () => change("b"), /“Policy b” has changed at the tenant since the preview/],
    ["assigned to others", () => put("b", { description: "before" }, [to(pilots)]), /“Policy b” has changed/],
    [
      "deleted",
      () => installation.control.removePolicy(directory, type, "b"),
      /“Policy b” is no longer at the tenant/,
    ],
    ["doubled", () => put("b2", { displayName: "Policy b" }), /several called “Policy b”/],
    ["come to be", () => put("new", { displayName: "Policy c" }), /“Policy c” has come to be/],
  ])("%s: nothing is written", async (_title, move, why) => {
    const { db, control } = installation;
    for (const id of ["a", "b", "c"]) await put(id);
    const setId = await backUp(installation, world, [type]);
    for (const id of ["a", "b"]) await put(id, { description: "before" });
    await control.removePolicy(directory, type, "c");
    const planId = await preview(installation, world, { setId });
    await move();
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "execution_prerequisite_invalid",
    });
    expect((await listDecisions(db, run)).at(-1)?.checks.execution_prerequisites).toMatchObject({
      value: expect.stringMatching(why),
    });
    expect(await writes()).toEqual([]);
    expect((await planTallies(db, planId)).results).toMatchObject({ not_started: 3 });
  });

  test("in mid-run: what was written is said, and nothing more is", async () => {
    const { db, control, worker } = installation;
    for (const id of ["a", "b", "c"]) await put(id);
    const setId = await backUp(installation, world, [type]);
    for (const id of ["a", "b", "c"]) await put(id, { description: "before" });
    const planId = await preview(installation, world, { setId });
    const run = await confirm(installation, world, planId);
    await control.setFaults(directory, [{ kind: "hold", method: "PATCH", times: 1 }]);
    const working = follow(drainQueue(worker));
    await until(async () => (await writes()).length === 1);
    await change("b");
    await control.clearFaults(directory);
    await working.result;
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "execution_prerequisite_invalid",
      tally: { updated: 1 },
    });
    expect((await listPlan(db, planId)).map(({ result }) => result)).toEqual(["updated", null, null]);
    expect(await writes()).toHaveLength(1);
  });

  test("revoked in mid-run: the same", async () => {
    const { db, control, worker } = installation;
    for (const id of ["a", "b", "c"]) await put(id);
    const setId = await backUp(installation, world, [type]);
    for (const id of ["a", "b", "c"]) await put(id, { description: "before" });
    const planId = await preview(installation, world, { setId });
    const run = await confirm(installation, world, planId);
    await control.setFaults(directory, [{ kind: "hold", method: "PATCH", times: 1 }]);
    const working = follow(drainQueue(worker));
    await until(async () => (await writes()).length === 1);
    const revoking = follow(dismissOlivia());
    await control.clearFaults(directory);
    await working.result;
    await revoking.result;
    expect(await getRun(db, run)).toMatchObject({ outcome: "blocked" });
    expect((await planTallies(db, planId)).results).toMatchObject({ updated: 1, not_started: 2 });
    expect(await writes()).toHaveLength(1);
  });
});

test("a run that has to stop between two calls for one item says that not all of it was written", async () => {
  const { db, control, worker } = installation;
  await put("a", {}, [to(staff)]);
  const setId = await backUp(installation, world, [type]);
  await control.removePolicy(directory, type, "a");
  const planId = await preview(installation, world, { setId });
  const run = await confirm(installation, world, planId);
  await control.setFaults(directory, [{ kind: "hold", method: "POST", path: type, after: true, times: 1 }]);
  const working = follow(drainQueue(worker));
  await until(async () => (await kept()).length === 1);
  const revoking = follow(dismissOlivia());
  await control.clearFaults(directory);
  await working.result;
  await revoking.result;
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", tally: { created: 1 } });
  const { items } = await listPlanItems(db, planId, { action: null, result: "created" }, null);
  expect(items).toMatchObject([{ resultReason: expect.stringMatching(/^Not all of it was written/) }]);
});

describe("what Microsoft refuses", () => {
  test("fails its item and no other, and the run goes on", async () => {
    const { db, control } = installation;
    for (const id of ["a", "b", "c"]) await put(id);
    const setId = await backUp(installation, world, [type]);
    for (const id of ["a", "b", "c"]) await put(id, { description: "before" });
    const planId = await preview(installation, world, { setId });
    await control.setFaults(directory, [{ kind: "status", status: 400, method: "PATCH", path: `${type}/b` }]);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "partially_succeeded",
      failureMessage: "1 item failed; 2 items were changed.",
      tally: { updated: 2, failed: 1 },
    });
    expect(await listPlan(db, planId)).toMatchObject([
      { result: "updated" },
      { result: "failed", resultReason: expect.stringMatching(/^Changing it was refused: /) },
      { result: "updated" },
    ]);
  });

  test("after the object was created: it has failed, and says what was done", async () => {
    const { db, control } = installation;
    await put("a", {}, [to(staff)]);
    const setId = await backUp(installation, world, [type]);
    await control.removePolicy(directory, type, "a");
    const planId = await preview(installation, world, { setId });
    await control.setFaults(directory, [{ kind: "status", status: 400, path: "/assign", method: "POST" }]);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({ outcome: "failed", tally: { created: 0, failed: 1 } });
    expect(await onlyItem(db, planId)).toMatchObject({
      result: "failed",
      resultReason: expect.stringMatching(/^Created, but its assignments were refused: /),
    });
    expect(await kept()).toHaveLength(1);
  });

  test("or says in garbage before a call could be sent, is no item's fault: it is sent later", async () => {
    const { db, control } = installation;
    await put("a");
    const setId = await backUp(installation, world, [type]);
    await change("a");
    const planId = await preview(installation, world, { setId });
    // The first token is for reading.
    await control.setFaults(directory, [{ kind: "html", on: "token", skip: 1, times: 1 }]);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { updated: 1 } });
    const tokens = (await installation.control.requests(directory)).filter(({ kind }) => kind === "token");
    expect(tokens.length).toBeGreaterThan(2);
  });

  test("for want of a permission since the preview blocks the run, and takes no other permission to be lost", async () => {
    const { db, control } = installation;
    const of = "conditionalAccessPolicies";
    await putDirectory(installation, world.contoso, { extras: { [of]: 1 } });
    const setId = await backUp(installation, world, [of]);
    const [policy] = await control.listPolicies(directory, of);
    await control.removePolicy(directory, of, policy?.id ?? "");
    const planId = await preview(installation, world, { setId });
    const lost = "Policy.ReadWrite.ConditionalAccess";
    const roles = grantedRoles.filter((role) => role !== lost);
    await putDirectory(installation, world.contoso, { roles });
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({ outcome: "blocked", reasonCode: "write_gate_blocked" });
    const [connection] = await db.query<{ roles: string[] }>(
      "select granted_roles as roles from provider_connections where id = $1",
      [world.connection.id],
    );
    expect(connection?.roles).toContain("Policy.Read.All");
    expect(connection?.roles).not.toContain(lost);
  });

  test("for an approval that the tenant asks for blocks the run, and says what to do", async () => {
    const { db, control } = installation;
    for (const id of ["a", "b", "c"]) await put(id);
    const setId = await backUp(installation, world, [type]);
    for (const id of ["a", "b", "c"]) await change(id);
    const planId = await preview(installation, world, { setId, types: [type] });
    await control.setFaults(directory, [
      { kind: "approval_required", method: "PATCH", path: `/${type}/`, skip: 1 },
    ]);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "execution_prerequisite_invalid",
      tally: { updated: 1 },
    });
    expect((await listPlan(db, planId)).map(({ result }) => result)).toEqual(["updated", null, null]);
    const told = (await listDecisions(db, run)).at(-1);
    expect(told).toMatchObject({ verdict: "denied", reasonCode: "execution_prerequisite_invalid" });
    const sent = (await control.requests(directory)).filter(({ method }) => method === "PATCH");
    expect(sent.map(({ status }) => status)).toEqual([200, 403]);
  });

  test("a permission that is lacking refuses the type in the preview, and names it", async () => {
    const { db } = installation;
    await put("a");
    const setId = await backUp(installation, world, [type]);
    await putDirectory(installation, world.contoso, { roles: ["DeviceManagementConfiguration.Read.All"] });
    const planId = await preview(installation, world, { setId });
    expect(await onlyItem(db, planId)).toMatchObject({
      action: "refused",
      reason: "DeviceManagementConfiguration.ReadWrite.All is not granted to the connection.",
    });
    await expect(confirm(installation, world, planId)).rejects.toThrow("The preview has nothing to write.");
  });
});

test("what refers to a filter that could not be created fails for that, and nothing of it is written", async () => {
  const { db, control } = installation;
  const filter = { displayName: "Corporate", platform: "windows10AndLater", rule: "(true)" };
  await control.putPolicy(directory, "assignmentFilters", "f", filter);
  const narrowed = { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: staff };
  const by = {
    deviceAndAppManagementAssignmentFilterId: "f",
    deviceAndAppManagementAssignmentFilterType: "include",
  };
  await put("a", {}, [{ target: { ...narrowed, ...by } }]);
  const setId = await backUp(installation, world);
  await control.removePolicy(directory, "assignmentFilters", "f");
  await control.removePolicy(directory, type, "a");
  const planId = await preview(installation, world, { setId });
  await control.setFaults(directory, [
    { kind: "status", status: 400, method: "POST", path: "assignmentFilters" },
  ]);
  await restore(installation, world, planId);
  expect(await listPlan(db, planId)).toMatchObject([
    { result: "failed", resultReason: expect.stringMatching(/^Creating it was refused: /) },
    { result: "failed", resultReason: "A filter or scope tag that it refers to was not created" },
  ]);
  expect(await kept()).toEqual([]);
});

test.each([
  ["an assignment", "/assign", 1],
  ["a change", "/b", 1],
] as const)(
  "%s whose answer got lost is found to be done by reading, and not made twice",
  async (_what, path, times) => {
    const { db, control } = installation;
    await put("b", {}, [to(staff)]);
    const setId = await backUp(installation, world, [type]);
    await put("b", { description: "before" }, []);
    const planId = await preview(installation, world, { setId });
    const method = path === "/assign" ? "POST" : "PATCH";
    await control.setFaults(directory, [{ kind: "disconnect", method, path, after: true, times }]);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { updated: 1 } });
    expect((await writes()).map((write) => write.method)).toEqual(["PATCH", "POST"]);
  },
);

test.each([
  ["carried out: they are not sent again", true, 1],
  ["not carried out: they are", false, 2],
])("settings of an administrative template whose answer got lost, %s", async (_what, after, sent) => {
  const { db, control } = installation;
  const template = "groupPolicyConfigurations";
  await putDirectory(installation, world.contoso, { extras: { [template]: 1 }, groups });
  const [before] = await control.listPolicies(directory, template);
  const setId = await backUp(installation, world, [template]);
  await control.removePolicy(directory, template, before?.id ?? "");
  const planId = await preview(installation, world, { setId });
  const path = "updateDefinitionValues";
  await control.setFaults(directory, [{ kind: "disconnect", method: "POST", path, after, times: 1 }]);
  const run = await restore(installation, world, planId);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { created: 1 } });
  expect((await writes()).filter((write) => write.path.includes(path))).toHaveLength(sent);
});

test("a filter comes back under its scope tag, and what it narrows by it, when all three are gone", async () => {
  const { db, control } = installation;
  await control.putPolicy(directory, "roleScopeTags", "7", { displayName: "Branches", description: "" });
  const filter = { displayName: "Corporate", platform: "windows10AndLater", rule: "(true)" };
  await control.putPolicy(directory, "assignmentFilters", "f", { ...filter, roleScopeTags: ["7"] });
  const by = {
    deviceAndAppManagementAssignmentFilterId: "f",
    deviceAndAppManagementAssignmentFilterType: "include",
  };
  const target = { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: staff, ...by };
  await put("a", {}, [{ target }]);
  const setId = await backUp(installation, world);
  await control.removePolicy(directory, "roleScopeTags", "7");
  await control.removePolicy(directory, "assignmentFilters", "f");
  await control.removePolicy(directory, type, "a");
  const planId = await preview(installation, world, { setId });
  const run = await restore(installation, world, planId);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { created: 3 } });
  const [tag] = await control.listPolicies(directory, "roleScopeTags");
  const [made] = await control.listPolicies(directory, "assignmentFilters");
  expect(made?.payload.roleScopeTags).toEqual([tag?.id]);
  expect(await kept()).toMatchObject([
    { assignments: [{ target: { ...target, deviceAndAppManagementAssignmentFilterId: made?.id } }] },
  ]);
});

test("a preview whose items were tampered with is not carried out", async () => {
  const { db } = installation;
  await put("a");
  const setId = await backUp(installation, world, [type]);
  await change("a");
  const planId = await preview(installation, world, { setId });
  await db.transaction(async (tx) => {
    await tx.query("alter table restore_items disable trigger restore_items_are_frozen");
    await tx.query(
      `update restore_items set desired = desired || '{"passwordRequired": false}' where plan_id = $1`,
      [planId],
    );
    await tx.query("alter table restore_items enable always trigger restore_items_are_frozen");
  });
  const run = await restore(installation, world, planId);
  expect(await getRun(db, run)).toMatchObject({
    outcome: "blocked",
    reasonCode: "execution_prerequisite_invalid",
  });
  expect(await writes()).toEqual([]);
});

test("a secret that is in no backup stays as it is where it is, and the preview says what becomes of it", async () => {
  const { db, control } = installation;
  const wifi = {
    "@odata.type": "#microsoft.graph.windowsWifiConfiguration",
    displayName: "Office wifi",
    description: "as it should be",
    wifiSecurityType: "wpa2Personal",
    preSharedKey: null,
  };
  await control.putPolicy(directory, type, "w", wifi);
  const setId = await backUp(installation, world, [type]);
  await control.putPolicy(directory, type, "w", { ...wifi, description: "changed" });
  const planId = await preview(installation, world, { setId });
  expect((await onlyItem(db, planId)).notes).toEqual([
    "The secret at preSharedKey is not captured and stays as it is.",
  ]);
  const run = await restore(installation, world, planId);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { updated: 1 } });
  await control.removePolicy(directory, type, "w");
  const afresh = await preview(installation, world, { setId });
  expect(await onlyItem(db, afresh)).toMatchObject({
    action: "create",
    notes: ["The secret at preSharedKey is not captured and will be empty."],
  });
});

describe("what reads back otherwise than it was written", () => {
  test("has failed, and says in which fields", async () => {
    const { db, control, worker } = installation;
    await put("a");
    const setId = await backUp(installation, world, [type]);
    await change("a");
    const planId = await preview(installation, world, { setId });
    const run = await confirm(installation, world, planId);
    await control.setFaults(directory, [{ kind: "hold", method: "PATCH", after: true, times: 1 }]);
    const working = follow(drainQueue(worker));
    await until(async () => (await kept())[0]?.payload.description === "as it should be");
    await change("a");
    await control.clearFaults(directory);
    await working.result;
    expect(await getRun(db, run)).toMatchObject({ outcome: "failed", tally: { updated: 0, failed: 1 } });
    expect(await onlyItem(db, planId)).toMatchObject({
      result: "failed",
      resultReason: "Written, but reads back differently: description",
    });
  });
});

describe("what cannot be read as it was written at once", () => {
  test.each([
    ["is not there yet", { kind: "status", status: 404, method: "GET", path: `${type}/` }],
    ["has no assignments yet", { kind: "empty_page", path: "/assignments" }],
  ] as const)("because it %s is looked at again", async (_what, fault) => {
    const { db, control } = installation;
    await put("a", {}, [to(staff)]);
    const setId = await backUp(installation, world, [type]);
    await control.removePolicy(directory, type, "a");
    const planId = await preview(installation, world, { setId });
    await control.setFaults(directory, [{ ...fault, times: 2 }]);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", tally: { created: 1 } });
  });
});

describe("a call of which it is not known whether it was carried out", () => {
  test("leaves its item unknown, names the object to look at, and the run does not claim success", async () => {
    const { db, control } = installation;
    await put("a", {}, [to(staff)]);
    const setId = await backUp(installation, world, [type]);
    await control.removePolicy(directory, type, "a");
    const planId = await preview(installation, world, { setId });
    // Neither the call's answer nor a look at what became of it can be had.
    await control.setFaults(directory, [{ kind: "status", status: 503, path: "/assign" }]);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "partially_succeeded",
      failureMessage: "Of 1 item it is not known whether it was written; 0 items were changed.",
    });
    expect((await planTallies(db, planId)).results).toMatchObject({ unknown: 1, created: 0 });
    const [created] = await control.listPolicies(directory, type);
    expect(await unknownEffectsOf(db, run)).toMatchObject([
      { position: 1, name: "Policy a", action: "assign", providerId: created?.id },
    ]);
  });
});

describe("an attempt that comes again", () => {
  test("goes on where the one before it stopped: nothing is written twice, nothing is left out", async () => {
    const { db, control, worker } = installation;
    for (const id of ["a", "b", "c"]) await put(id, {}, [to(staff)]);
    const setId = await backUp(installation, world, [type]);
    for (const id of ["a", "b"]) await control.removePolicy(directory, type, id);
    await change("c");
    const planId = await preview(installation, world, { setId });
    const run = await confirm(installation, world, planId);
    // The first is done and the second half done when the service goes away.
    await control.setFaults(directory, [
      { kind: "status", status: 503, retryAfter: "0", path: "/assign", method: "POST", skip: 1 },
    ]);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1 });
    expect((await listPlan(db, planId)).map(({ result }) => result)).toEqual(["created", "created", null]);
    await control.clearFaults(directory);
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "succeeded",
      attempt: 2,
      tally: { created: 2, updated: 1 },
    });
    expect(await kept()).toHaveLength(3);
    for (const { assignments } of await kept()) expect(assignments).toHaveLength(1);
    const created = (await writes()).filter(({ method, path }) => method === "POST" && path.endsWith(type));
    expect(created).toHaveLength(2);
  });

  test("creates nothing that somebody else has created since the one before it was refused", async () => {
    const { db, control, worker } = installation;
    await put("a");
    const setId = await backUp(installation, world, [type]);
    await control.removePolicy(directory, type, "a");
    const run = await confirm(installation, world, await preview(installation, world, { setId }));
    await control.setFaults(directory, [{ kind: "status", status: 429, retryAfter: "0", method: "POST" }]);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1 });
    await control.clearFaults(directory);
    await put("theirs", { displayName: "Policy a", description: "made by somebody" });
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "execution_prerequisite_invalid",
    });
    expect((await listDecisions(db, run)).at(-1)?.checks.execution_prerequisites).toMatchObject({
      value: expect.stringMatching(/“Policy a” has come to be at the tenant/),
    });
    expect(await kept()).toMatchObject([{ payload: { description: "made by somebody" } }]);
  });

  test("overwrites nothing that somebody else has changed since the one before it was refused", async () => {
    const { db, control, worker } = installation;
    await put("a");
    const setId = await backUp(installation, world, [type]);
    await change("a");
    const run = await confirm(installation, world, await preview(installation, world, { setId }));
    await control.setFaults(directory, [{ kind: "status", status: 429, retryAfter: "0", method: "PATCH" }]);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1 });
    await control.clearFaults(directory);
    await put("a", { description: "changed once more" });
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({
      outcome: "blocked",
      reasonCode: "execution_prerequisite_invalid",
    });
    expect((await listDecisions(db, run)).at(-1)?.checks.execution_prerequisites).toMatchObject({
      value: expect.stringMatching(/“Policy a” has changed at the tenant since the preview/),
    });
    expect(await kept()).toMatchObject([{ payload: { description: "changed once more" } }]);
  });

  test("undoes with what was there before the first, not with what the first left", async () => {
    const { db, control, worker } = installation;
    await put("a", {}, [to(staff)]);
    const setId = await backUp(installation, world, [type]);
    await put("a", { description: "before" }, [to(pilots)]);
    const planId = await preview(installation, world, { setId });
    const run = await confirm(installation, world, planId);
    await control.setFaults(directory, [
      { kind: "status", status: 503, retryAfter: "0", path: "/assign", method: "POST" },
    ]);
    await drainQueue(worker);
    expect((await kept())[0]?.payload.description).toBe("as it should be");
    await control.clearFaults(directory);
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded", attempt: 2, tally: { updated: 1 } });
    const kept_ = await db.query(
      "select payload ->> 'description' as description from backup_items where set_id = $1",
      [run],
    );
    expect(kept_).toEqual([{ description: "before" }]);
    expect(await unknownEffectsOf(db, run)).toEqual([]);
  });
});

async function dismissOlivia(): Promise<void> {
  const { db } = installation;
  await db.query("delete from role_assignments where user_id = $1", [world.olivia.id]);
}

/** What a set holds, apart from ids. */
async function comparableItems(setId: string) {
  return installation.db.query(
    `select type, match_key, case when type = 'conditionalAccessPolicies' then normalised - 'state' else normalised end as normalised,
       jsonb_array_length(assignments) as assigned
     from backup_items where set_id = $1 order by type, match_key`,
    [setId],
  );
}
