import { describe, expect, test } from "@jest/globals";
import { generatePolicy } from "../../server/demo/sandbox/policies.ts";
import { normalise } from "../../server/provider/graph/normalise.ts";
import { planWrites } from "../../server/provider/graph/planWrites.ts";
import { type PolicyType, policyTypes } from "../../server/provider/policyTypes.ts";
import type { JsonObject, ProviderPolicy } from "../../server/provider/port.ts";

const assignment = {
  id: "a",
  source: "direct",
  sourceId: "b",
  target: { "@odata.type": "#all", groupId: null },
};
const written = { target: { "@odata.type": "#all", groupId: null } };

describe("Creating", () => {
  test("is one call with the whole policy, then the assignments", () => {
    const desired = { displayName: "A", rule: "x", id: "1" };
    expect(planWrites("deviceConfigurations", desired, [assignment], null)).toEqual([
      { action: "create", type: "deviceConfigurations", id: null, body: { displayName: "A", rule: "x" } },
      { action: "assign", type: "deviceConfigurations", id: null, body: { assignments: [written] } },
    ]);
  });

  test.each([null, []])("assigns nothing when there is nothing to assign (%j)", (assignments) => {
    expect(actions(planWrites("deviceConfigurations", {}, assignments, null))).toEqual(["create"]);
  });

  test("names a script's assignments as scripts do", () => {
    const [, assign] = planWrites("deviceManagementScripts", {}, [assignment], null);
    expect(assign?.body).toEqual({ deviceManagementScriptAssignments: [written] });
  });

  test("a compliance policy includes its scheduled actions", () => {
    const plan = planWrites(
      "deviceCompliancePolicies",
      { scheduledActionsForRule: [rule("block")] },
      null,
      null,
    );
    expect(actions(plan)).toEqual(["create"]);
    expect(plan[0]?.body).toHaveProperty("scheduledActionsForRule");
  });

  test("an administrative template is a shell that its values are put into", () => {
    const plan = planWrites("groupPolicyConfigurations", template(value("d1", true)), null, null);
    expect(actions(plan)).toEqual(["create", "definitions"]);
    expect(plan[0]?.body).toEqual({ displayName: "T" });
    expect(plan[1]?.body).toMatchObject({ added: [{ enabled: true }], updated: [], deletedIds: [] });
  });

  test.each(["conditionalAccessPolicies", "assignmentFilters", "roleScopeTags"] as const)(
    "one of %s assigns nothing apart from itself",
    (type) => {
      expect(actions(planWrites(type, {}, [assignment], null))).toEqual(["create"]);
    },
  );
});

describe("Updating", () => {
  test.each(policyTypes)("one of %s to what it is takes no call", (type) => {
    const payload = generatePolicy("north", type, 1);
    expect(planWrites(type, normalise(type, payload), null, existing(type, payload))).toEqual([]);
  });

  test("writes what differs and nothing else, so that unread secrets stay", () => {
    const type = "deviceConfigurations";
    const present = { "@odata.type": "#wifi", id: "1", ssid: "old", preSharedKey: null, version: 3 };
    expect(planWrites(type, { ...present, ssid: "new" }, [], existing(type, present))).toEqual([
      { action: "update", type, id: "1", body: { "@odata.type": "#wifi", ssid: "new" } },
      { action: "assign", type, id: "1", body: { assignments: [] } },
    ]);
  });

  test("a settings catalog policy writes it whole", () => {
    const type = "configurationPolicies";
    const present = { id: "1", name: "A", settings: [{ id: "0", settingInstance: { x: 1 } }] };
    const desired = { name: "A", settings: [{ settingInstance: { x: 2 } }] };
    expect(planWrites(type, desired, null, existing(type, present))).toEqual([
      { action: "update", type, id: "1", body: desired },
    ]);
  });

  test("a compliance policy writes its scheduled actions by an action of their own", () => {
    const type = "deviceCompliancePolicies";
    const of = existing(type, { id: "1", displayName: "A", scheduledActionsForRule: [rule("block")] });
    const actionsOnly = planWrites(
      type,
      { displayName: "A", scheduledActionsForRule: [rule("wipe")] },
      null,
      of,
    );
    expect(actionsOnly).toEqual([
      { action: "actions", type, id: "1", body: { deviceComplianceScheduledActionForRules: [rule("wipe")] } },
    ]);
    const both = planWrites(type, { displayName: "B", scheduledActionsForRule: [rule("wipe")] }, null, of);
    expect(actions(both)).toEqual(["update", "actions"]);
    expect(both[0]?.body).toEqual({ displayName: "B" });
  });

  test("an administrative template adds, changes and deletes values by what they are of", () => {
    const type = "groupPolicyConfigurations";
    const given = [
      {
        id: "v1",
        enabled: true,
        definition: { id: "d1" },
        presentationValues: [presentation("p1", "old", "w1")],
      },
      { id: "v2", enabled: true, definition: { id: "d2" }, presentationValues: [] },
      { id: "v3", enabled: true, definition: { id: "d3" }, presentationValues: [] },
    ];
    const desired = normalise(type, {
      displayName: "T",
      definitionValues: [
        {
          enabled: true,
          definition: { id: "d1" },
          presentationValues: [presentation("p1", "new"), presentation("p2", "x")],
        },
        { enabled: true, definition: { id: "d2" }, presentationValues: [] },
        { enabled: false, definition: { id: "d4" }, presentationValues: [] },
      ],
    });
    const [call, ...others] = planWrites(
      type,
      desired,
      null,
      existing(type, { id: "1", displayName: "T", definitionValues: given }),
    );
    expect(others).toEqual([]);
    expect(call).toMatchObject({ action: "definitions", id: "1", body: { deletedIds: ["v3"] } });
    expect(call?.body.added).toMatchObject([
      { "definition@odata.bind": "/deviceManagement/groupPolicyDefinitions('d4')" },
    ]);
    expect(call?.body.updated).toMatchObject([
      { id: "v1", presentationValues: [{ id: "w1", value: "new" }, { value: "x" }] },
    ]);
  });

  test("Conditional Access empties what is to go, though nothing says null", () => {
    const type = "conditionalAccessPolicies";
    const guests = { guestOrExternalUserTypes: "b2bCollaborationGuest" };
    const conditions = {
      users: { includeUsers: ["All"], excludeGroups: ["g"], excludeGuestsOrExternalUsers: guests },
      locations: { includeLocations: ["All"] },
    };
    const of = existing(type, { id: "1", state: "enabled", conditions, sessionControls: { x: 1 } });
    const desired = { state: "enabled", conditions: { users: { includeUsers: ["None"] } } };
    expect(planWrites(type, desired, null, of)).toEqual([
      {
        action: "update",
        type,
        id: "1",
        body: {
          conditions: {
            users: { includeUsers: ["None"], excludeGroups: [], excludeGuestsOrExternalUsers: null },
            locations: null,
          },
          sessionControls: null,
        },
      },
    ]);
  });
});

function actions(plan: { action: string }[]): string[] {
  return plan.map(({ action }) => action);
}

function existing(type: PolicyType, payload: JsonObject): { id: string; present: ProviderPolicy } {
  const id = String(payload.id);
  const normalised = normalise(type, payload);
  const present = {
    id,
    name: "",
    odataType: "",
    payload,
    matchKey: "",
    normalised,
    notCaptured: [],
    assignments: null,
  };
  return { id, present };
}

function rule(actionType: string): JsonObject {
  return { ruleName: null, scheduledActionConfigurations: [{ actionType, gracePeriodHours: 0 }] };
}

function template(...definitionValues: JsonObject[]): JsonObject {
  return { displayName: "T", definitionValues };
}

function value(definition: string, enabled: boolean): JsonObject {
  return { enabled, "definition@odata.bind": `/deviceManagement/groupPolicyDefinitions('${definition}')` };
}

function presentation(id: string, text: string, own?: string): JsonObject {
  return { ...(own === undefined ? {} : { id: own }), value: text, presentation: { id } };
}
