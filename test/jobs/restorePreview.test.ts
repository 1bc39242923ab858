import { beforeEach, describe, expect, test } from "@jest/globals";
import { findPlanItem, listPlanItems, planTallies } from "../../server/domain/restores/planItems.ts";
import { findPlanFor } from "../../server/domain/restores/plans.ts";
import type { PolicyType } from "../../server/provider/policyTypes.ts";
import type { JsonObject } from "../../server/provider/port.ts";
import {
  addTenant,
  backUp,
  listPlan,
  onlyItem,
  preview,
  putDirectory,
  restore,
  viewerOf,
} from "../helpers/backups.ts";
import type { TestTenant } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { grantedRoles, type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, makeJobsDue } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  await putDirectory(installation, world.contoso, { groups: [staff, pilots] });
});

const staff = { id: "11111111-0000-4000-8000-000000000001", displayName: "All staff" };
const pilots = { id: "11111111-0000-4000-8000-000000000002", displayName: "Pilots" };
const type = "deviceConfigurations";

function targeted(kind: "group" | "exclusionGroup", groupId: string, filterId?: string): JsonObject {
  const filter =
    filterId === undefined
      ? {}
      : {
          deviceAndAppManagementAssignmentFilterId: filterId,
          deviceAndAppManagementAssignmentFilterType: "include",
        };
  return { target: { "@odata.type": `#microsoft.graph.${kind}AssignmentTarget`, groupId, ...filter } };
}

async function put(
  tenant: TestTenant,
  id: string,
  more: JsonObject = {},
  assignments: JsonObject[] = [],
  of: PolicyType = type,
): Promise<void> {
  const own =
    of === type
      ? { "@odata.type": "#microsoft.graph.windows10GeneralConfiguration", description: "kept" }
      : {};
  await installation.control.putPolicy(
    tenant.directoryId,
    of,
    id,
    { displayName: `Policy ${id}`, ...own, ...more },
    assignments,
  );
}

describe("a preview", () => {
  test("plans every item in the order of restoring, freezes it, and writes nothing at the tenant", async () => {
    const { db, control } = installation;
    for (const id of ["a", "b", "c"]) await put(world.contoso, id);
    const setId = await backUp(installation, world);
    await control.removePolicy(world.contoso.directoryId, type, "a");
    await put(world.contoso, "b", { description: "changed" });
    await control.clearRequests();
    const planId = await preview(installation, world, { setId });
    expect(await getRun(db, planId)).toMatchObject({
      outcome: "succeeded",
      tally: { to_create: 1, to_update: 1, unchanged: 1 },
    });
    expect(await planTallies(db, planId)).toEqual({
      actions: { create: 1, update: 1, unchanged: 1, refused: 0 },
      results: { created: 0, updated: 0, unchanged: 0, refused: 0, failed: 0, unknown: 0, not_started: 3 },
    });
    const { items, next } = await listPlanItems(db, planId, { action: null, result: null }, null);
    expect(items).toMatchObject([
      { position: 1, name: "Policy a", action: "create", changes: 0 },
      { position: 2, name: "Policy b", action: "update", changes: 1 },
      { position: 3, name: "Policy c", action: "unchanged", changes: 0 },
    ]);
    expect(next).toBeNull();
    expect(
      (await listPlanItems(db, planId, { action: "update", result: "not_started" }, 1)).items,
    ).toHaveLength(1);
    expect(await findPlanItem(db, planId, 2)).toMatchObject({
      diff: [{ path: "description", before: "changed", after: "kept" }],
    });
    await expect(
      db.query("update restore_items set action = 'unchanged' where plan_id = $1", [planId]),
    ).rejects.toThrow("frozen");
    const written = (await control.requests(world.contoso.directoryId)).filter(
      ({ kind, method, path }) => kind === "graph" && method !== "GET" && !path.endsWith("$batch"),
    );
    expect(written).toEqual([]);
  });

  test("of chosen items is about these alone", async () => {
    const { db } = installation;
    for (const id of ["a", "b"]) await put(world.contoso, id);
    const setId = await backUp(installation, world);
    const [item] = await db.query<{ id: string }>(
      "select id from backup_items where set_id = $1 and name = 'Policy b'",
      [setId],
    );
    const planId = await preview(installation, world, { setId, itemIds: [item?.id ?? ""] });
    expect(await onlyItem(db, planId)).toMatchObject({ name: "Policy b", position: 1 });
  });

  test("refuses what has several counterparts, on either side, and never takes the first", async () => {
    const { db } = installation;
    await put(world.contoso, "a");
    await put(world.contoso, "b");
    const setId = await backUp(installation, world);
    await put(world.contoso, "a2", { displayName: "Policy a" });
    expect(await listPlan(db, await preview(installation, world, { setId }))).toMatchObject([
      {
        action: "refused",
        reason: "Contoso Retail has several of this name, so it cannot be told which one is meant.",
      },
      { action: "unchanged" },
    ]);
    const doubled = await backUp(installation, world);
    await installation.control.removePolicy(world.contoso.directoryId, type, "a2");
    const reason = "The backup holds several of this name, so it cannot be told which one is meant.";
    expect(await listPlan(db, await preview(installation, world, { setId: doubled }))).toMatchObject([
      { action: "refused", reason },
      { action: "refused", reason },
      { action: "unchanged" },
    ]);
  });

  test("that is tried again plans afresh", async () => {
    const { db, control, worker } = installation;
    for (const id of ["a", "b"]) await put(world.contoso, id);
    await put(
      world.contoso,
      "ca",
      { state: "disabled", conditions: { users: { includeUsers: ["All"] } } },
      [],
      "conditionalAccessPolicies",
    );
    const setId = await backUp(installation, world);
    const fault = { kind: "status", status: 503, path: "conditionalAccess" } as const;
    await control.setFaults(world.contoso.directoryId, [fault]);
    const planId = await preview(installation, world, { setId });
    expect(await getRun(db, planId)).toMatchObject({ status: "queued", attempt: 1 });
    expect(await listPlan(db, planId)).toHaveLength(2);
    await put(world.contoso, "a", { description: "changed meanwhile" });
    await control.clearFaults(world.contoso.directoryId);
    await makeJobsDue(db);
    await drainQueue(worker);
    expect(await getRun(db, planId)).toMatchObject({
      outcome: "succeeded",
      attempt: 2,
      tally: { to_update: 1, unchanged: 2 },
    });
    expect(await listPlan(db, planId)).toMatchObject([
      { action: "update" },
      { action: "unchanged" },
      { action: "unchanged" },
    ]);
  });
});

describe("groups at the tenant that the backup is of", () => {
  test("an inclusion of one that is gone is skipped, an exclusion refuses its item alone", async () => {
    const { db, control } = installation;
    await put(world.contoso, "a", {}, [targeted("group", staff.id), targeted("group", pilots.id)]);
    await put(world.contoso, "b", {}, [targeted("group", pilots.id), targeted("exclusionGroup", staff.id)]);
    const setId = await backUp(installation, world);
    for (const id of ["a", "b"]) await control.removePolicy(world.contoso.directoryId, type, id);
    await control.removeGroup(world.contoso.directoryId, staff.id);
    const plan = await listPlan(db, await preview(installation, world, { setId }));
    expect(plan).toMatchObject([
      {
        action: "create",
        assignments: [targeted("group", pilots.id)],
        notes: [
          "It is not assigned to one of its groups: the group “All staff” does not exist at Contoso Retail.",
        ],
      },
      {
        action: "refused",
        reason:
          "It leaves out a group: the group “All staff” does not exist at Contoso Retail. Without that, it would be for more people.",
      },
    ]);
  });

  test("that may not be looked up are taken to be as they were", async () => {
    const { db, control } = installation;
    await put(world.contoso, "a", {}, [targeted("group", staff.id)]);
    const roles = grantedRoles.filter((role) => !role.startsWith("Group."));
    await putDirectory(installation, world.contoso, { groups: [staff], roles });
    await put(world.contoso, "a", {}, [targeted("group", staff.id)]);
    const setId = await backUp(installation, world);
    expect(await getRun(db, setId)).toMatchObject({
      outcome: "partially_succeeded",
      failureMessage: expect.stringMatching(/^Names of groups could not be read/),
    });
    await control.removePolicy(world.contoso.directoryId, type, "a");
    expect(await onlyItem(db, await preview(installation, world, { setId }))).toMatchObject({
      action: "create",
      assignments: [targeted("group", staff.id)],
    });
  });
});

describe("another tenant of the workspace", () => {
  const staffThere = { id: "99999999-0000-4000-8000-000000000001", displayName: "All staff" };

  test("gets the policies with its own groups, filters and scope tags, found by name", async () => {
    const { db, control } = installation;
    const fabrikam = await addTenant(installation, world);
    await putDirectory(installation, fabrikam, { groups: [staffThere] });
    await put(
      world.contoso,
      "filter-1",
      { displayName: "Corporate", platform: "windows10AndLater", rule: "(true)" },
      [],
      "assignmentFilters",
    );
    await put(world.contoso, "7", { displayName: "Branches", description: "" }, [], "roleScopeTags");
    await put(fabrikam, "31", { displayName: "Branches", description: "" }, [], "roleScopeTags");
    await put(world.contoso, "a", { roleScopeTagIds: ["0", "7"] }, [targeted("group", staff.id, "filter-1")]);
    await put(
      world.contoso,
      "ca",
      { state: "enabled", conditions: { users: { includeUsers: [], includeGroups: [staff.id] } } },
      [],
      "conditionalAccessPolicies",
    );
    const setId = await backUp(installation, world);
    const planId = await preview(installation, world, { setId, tenant: fabrikam });
    expect((await listPlan(db, planId)).map(({ type, action, reason }) => [type, action, reason])).toEqual([
      ["roleScopeTags", "unchanged", null],
      ["assignmentFilters", "create", null],
      [type, "create", null],
      ["conditionalAccessPolicies", "create", null],
    ]);
    const run = await restore(installation, world, planId);
    expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
    const [filter] = await control.listPolicies(fabrikam.directoryId, "assignmentFilters");
    const [policy] = await control.listPolicies(fabrikam.directoryId, type);
    expect(policy).toMatchObject({
      payload: { roleScopeTagIds: ["0", "31"] },
      assignments: [targeted("group", staffThere.id, filter?.id)],
    });
    expect(await control.listPolicies(fabrikam.directoryId, "conditionalAccessPolicies")).toMatchObject([
      {
        payload: {
          state: "enabledForReportingButNotEnforced",
          conditions: { users: { includeGroups: [staffThere.id] } },
        },
      },
    ]);
    const again = await preview(installation, world, { setId, tenant: fabrikam });
    expect((await planTallies(db, again)).actions).toEqual({
      create: 0,
      update: 0,
      unchanged: 4,
      refused: 0,
    });
  });

  test("with no group of the name, or two: an inclusion is skipped, an exclusion refuses", async () => {
    const { db } = installation;
    const fabrikam = await addTenant(installation, world);
    await putDirectory(installation, fabrikam, {
      groups: [staffThere, { ...staffThere, id: "99999999-0000-4000-8000-000000000002" }],
    });
    await put(world.contoso, "a", {}, [targeted("group", staff.id), targeted("group", pilots.id)]);
    await put(world.contoso, "b", {}, [targeted("exclusionGroup", staff.id)]);
    const setId = await backUp(installation, world);
    expect(await listPlan(db, await preview(installation, world, { setId, tenant: fabrikam }))).toMatchObject(
      [
        {
          action: "create",
          assignments: null,
          notes: [
            expect.stringMatching(/“All staff” exists more than once at Fabrikam/),
            expect.stringMatching(/“Pilots” does not exist at Fabrikam/),
          ],
        },
        { action: "refused", reason: expect.stringMatching(/“All staff” exists more than once at Fabrikam/) },
      ],
    );
  });

  test("is seen only by who may preview there and see backups here", async () => {
    const { db } = installation;
    const fabrikam = await addTenant(installation, world);
    await put(world.contoso, "a");
    const setId = await backUp(installation, world);
    const planId = await preview(installation, world, { setId, tenant: fabrikam });
    const seenBy = async (tenantIds: string[]) => {
      const viewer = await viewerOf(db, world, world.olivia);
      const [grant] = viewer.workspace?.grants ?? [];
      if (viewer.workspace === null || grant === undefined) throw new Error("Olivia has no role.");
      const grants = [{ ...grant, allTenants: false, tenantIds }];
      return findPlanFor(db, { ...viewer, workspace: { ...viewer.workspace, grants } }, planId);
    };
    expect(await seenBy([world.contoso.id, fabrikam.id])).toMatchObject({
      tenantName: "Fabrikam",
      sourceTenantName: "Contoso Retail",
    });
    expect(await seenBy([fabrikam.id])).toBeUndefined();
    expect(await seenBy([world.contoso.id])).toBeUndefined();
  });
});
