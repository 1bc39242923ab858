import { describe, expect, test } from "@jest/globals";
import { defaultOptions, type RestoreOptions, undoOptions } from "../../../server/domain/restores/options.ts";
import { hashOfState, planItem, type SourceItem } from "../../../server/domain/restores/planItem.ts";
import type { Resolved, Resolver } from "../../../server/domain/restores/resolver.ts";
import { makeGraphProvider } from "../../../server/provider/graph/makeGraphProvider.ts";
import type { PolicyType } from "../../../server/provider/policyTypes.ts";
import type { JsonObject, ProviderPolicy } from "../../../server/provider/port.ts";

const address = "http://127.0.0.1:1";
const { planWrites, normalise } = makeGraphProvider({ graphUrl: address, loginUrl: address }).model;

const staff = "11111111-0000-4000-8000-000000000001";
const pilots = "11111111-0000-4000-8000-000000000002";
const names = {
  groups: { [staff]: "All staff", [pilots]: "Pilots" },
  filters: { f1: "Corporate" },
  scopeTags: { "7": "Branches" },
};

const payload: JsonObject = {
  "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
  displayName: "Baseline",
  description: "kept",
};

function access(more: JsonObject): JsonObject {
  return {
    displayName: "CA001",
    state: "disabled",
    conditions: { users: { includeUsers: ["All"] } },
    ...more,
  };
}

function to(groupId: string, filter?: string | JsonObject): JsonObject {
  const narrowed =
    filter === undefined
      ? {}
      : {
          deviceAndAppManagementAssignmentFilterId: filter,
          deviceAndAppManagementAssignmentFilterType: "include",
        };
  return { target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId, ...narrowed } };
}

function except(groupId: string): JsonObject {
  return { target: { "@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", groupId } };
}

const everybody: JsonObject = { target: { "@odata.type": "#microsoft.graph.allDevicesAssignmentTarget" } };

describe("what is done with an item", () => {
  test("one that nothing matches is created, with its assignments", () => {
    const assignments = [to(staff)];
    expect(plan({ item: { assignments } })).toMatchObject({
      action: "create",
      providerId: null,
      expectedHash: null,
      desired: { displayName: "Baseline", description: "kept" },
      assignments: [{ target: { groupId: staff } }],
    });
  });
  test("one that is as it was is left alone", () => {
    const present = there({ assignments: [{ id: "x", source: "direct", sourceId: "y", ...to(staff) }] });
    expect(plan({ item: { assignments: [to(staff)] }, present })).toMatchObject({
      action: "unchanged",
      desired: null,
      assignments: null,
      providerId: "p1",
      expectedHash: hashOfState(present),
    });
  });
  test("one that differs is updated, and says in which fields", () => {
    const present = there({ payload: { ...payload, description: "changed" } });
    expect(plan({ present })).toMatchObject({
      action: "update",
      expectedHash: hashOfState(present),
      diff: [{ path: "description", before: "changed", after: "kept" }],
      assignments: null,
    });
  });
  test("what only the target has is not taken away, and does not count as a difference", () => {
    const more = { ...payload, added: true };
    expect(plan({ present: there({ payload: more }) }).action).toBe("unchanged");
    expect(plan({ present: there({ payload: { ...more, description: "changed" } }) }).diff).toEqual([
      { path: "description", before: "changed", after: "kept" },
    ]);
  });
  test("but is said to go where what is written takes the place of all of it", () => {
    const type = "configurationPolicies";
    const catalog = { name: "Baseline", settings: [] };
    const present = there({ type, payload: { ...catalog, description: "new" }, assignments: null });
    expect(plan({ item: { type, normalised: catalog }, present }).diff).toEqual([
      { path: "description", before: "new" },
    ]);
  });
});

describe("whom it is assigned to", () => {
  const cases: [
    string,
    { backedUp: JsonObject[]; live: JsonObject[]; mode?: RestoreOptions["assignments"]; absent?: string[] },
    unknown,
  ][] = [
    ["what was added since stays", { backedUp: [to(staff)], live: [to(pilots)] }, [to(pilots), to(staff)]],
    [
      "unless exactly the backup's was asked for",
      { backedUp: [to(staff)], live: [to(pilots)], mode: "exact" },
      [to(staff)],
    ],
    ["exactly nobody is nobody", { backedUp: [], live: [to(pilots)], mode: "exact" }, []],
    ["who is left out at present stays so", { backedUp: [to(staff)], live: [except(staff)] }, null],
    ["who was left out is so again", { backedUp: [except(staff)], live: [to(staff)] }, [except(staff)]],
    [
      "a group that is gone is skipped",
      { backedUp: [to(staff), to(pilots)], live: [], absent: [staff] },
      [to(pilots)],
    ],
    ["a lost filter is put back", { backedUp: [to(staff, "f1")], live: [to(staff)] }, [to(staff, "f1")]],
    [
      "order and origin make no difference",
      { backedUp: [to(staff), to(pilots)], live: [to(pilots), { id: "a", source: "direct", ...to(staff) }] },
      null,
    ],
  ];
  test.each(cases)("%s", (_title, { backedUp, live, mode = "union", absent = [] }, sent) => {
    const planned = plan({
      item: { assignments: backedUp },
      present: there({ assignments: live }),
      options: { assignments: mode },
      absent,
    });
    expect(planned.assignments).toEqual(sent);
    expect(planned.action).toBe(sent === null ? "unchanged" : "update");
  });
  test("it is told by the names of the groups, at another tenant too", () => {
    const there_ = "33333333-0000-4000-8000-000000000001";
    const planned = plan({
      item: { assignments: [to(staff)] },
      present: there({ assignments: [to("33333333-0000-4000-8000-000000000002")] }),
      isElsewhere: true,
      found: { [staff]: there_ },
    });
    expect(planned.diff).toEqual([{ path: `assignments[All staff, ${there_}]`, after: to(there_) }]);
  });
  test("each change that nobody asked for is said", () => {
    const said = (backedUp: JsonObject[], live: JsonObject[], absent: string[] = []) =>
      plan({ item: { assignments: backedUp }, present: there({ assignments: live }), absent }).notes;
    expect(said([to(staff)], [except(staff)])).toEqual([
      "It is not assigned to “All staff”, which is left out at present.",
    ]);
    expect(said([except(staff)], [to(staff)])).toEqual([
      "It is no longer assigned to “All staff”, which the backup leaves out.",
    ]);
    expect(said([to(staff)], [], [staff])).toEqual([
      "It is not assigned to one of its groups: the group “All staff” does not exist at Contoso.",
    ]);
  });
  test.each([
    [
      "an exclusion of a group that is gone",
      except(staff),
      [staff],
      /leaves out a group: the group “All staff” does not exist at Contoso/,
    ],
    [
      "a filter that is gone",
      to(staff, "f1"),
      ["f1"],
      /narrowed by a filter: the filter “Corporate” does not exist at Contoso/,
    ],
  ])("%s refuses the item: it would be for more", (_title, assignment, absent, reason) => {
    expect(plan({ item: { assignments: [assignment] }, absent })).toMatchObject({
      action: "refused",
      reason: expect.stringMatching(reason),
      desired: null,
      assignments: null,
    });
  });
  test("a filter of the same plan stands for itself until it has an id", () => {
    const created = { $created: 'assignmentFilters|["Corporate"]' };
    const planned = plan({ item: { assignments: [to(staff, "f1")] }, found: { f1: created } });
    expect(planned.assignments).toEqual([to(staff, created)]);
  });
  test("at another tenant groups go by the ids they have there, and other kinds of targets are skipped", () => {
    const collection = {
      target: {
        "@odata.type": "#microsoft.graph.configurationManagerCollectionAssignmentTarget",
        collectionId: "c",
      },
    };
    const planned = plan({
      item: { assignments: [to(staff), collection, everybody] },
      isElsewhere: true,
      found: { [staff]: "there-1" },
    });
    expect(planned.assignments).toEqual([to("there-1"), everybody]);
    expect(planned.notes).toEqual([
      "An assignment to a configurationManagerCollectionAssignmentTarget means nothing at Contoso.",
    ]);
  });
});

describe("scope tags", () => {
  const tagged = { ...payload, roleScopeTagIds: ["0", "7"] };
  test("go by the ids they have at the target", () => {
    expect(plan({ item: { normalised: tagged }, found: { "7": "12" } }).desired).toMatchObject({
      roleScopeTagIds: ["0", "12"],
    });
  });
  test("one that is gone is left out and said so, as long as another is left", () => {
    expect(plan({ item: { normalised: tagged }, absent: ["7"] })).toMatchObject({
      desired: { roleScopeTagIds: ["0"] },
      notes: ["It loses a scope tag: the scope tag “Branches” does not exist at Contoso."],
    });
    const only = { ...payload, roleScopeTagIds: ["7"] };
    expect(plan({ item: { normalised: only }, absent: ["7"] })).toMatchObject({
      action: "refused",
      reason: expect.stringMatching(/^None of its scope tags is there/),
    });
  });
});

describe("what a policy is tied to and no backup holds", () => {
  const tied = (kind: string, more: JsonObject = {}) => ({
    ...payload,
    "@odata.type": `#microsoft.graph.${kind}`,
    ...more,
  });
  test.each([
    ["windows81SCEPCertificateProfile", {}, "refused"],
    ["iosPkcsCertificateProfile", {}, "refused"],
    ["windowsWifiEnterpriseEAPConfiguration", {}, "refused"],
    ["iosEnterpriseWiFiConfiguration", {}, "refused"],
    ["windowsWiredNetworkConfiguration", {}, "refused"],
    ["windows10VpnConfiguration", { authenticationMethod: "certificate" }, "refused"],
    ["windows10VpnConfiguration", { authenticationMethod: "usernameAndPassword" }, "create"],
    ["windowsWifiConfiguration", {}, "create"],
    ["windows81TrustedRootCertificate", {}, "create"],
  ])("%s with %j, anew: %s", (kind, more, action) => {
    const normalised = tied(kind, more);
    expect(plan({ item: { normalised } }).action).toBe(action);
    const present = there({ payload: { ...normalised, description: "changed" } });
    expect(plan({ item: { normalised }, present })).toMatchObject({ action: "update", reason: null });
  });
  test.each([
    ["custom", true, "refused"],
    ["custom", false, "create"],
    ["builtIn", true, "create"],
  ])("an administrative template that is %s, elsewhere %s: %s", (kind, isElsewhere, action) => {
    const type = "groupPolicyConfigurations";
    const normalised = { displayName: "T", policyConfigurationIngestionType: kind, definitionValues: [] };
    expect(plan({ item: { type, normalised }, isElsewhere }).action).toBe(action);
  });
});

describe("what happens to devices that do not comply", () => {
  const type = "deviceCompliancePolicies";
  const block = { actionType: "block", notificationTemplateId: "00000000-0000-0000-0000-000000000000" };
  const message = {
    actionType: "notification",
    notificationTemplateId: "22222222-0000-4000-8000-000000000007",
  };
  const withActions = (...actions: JsonObject[]) => ({
    ...payload,
    scheduledActionsForRule: [{ ruleName: null, scheduledActionConfigurations: actions }],
  });
  test("stays as it is at the tenant, and elsewhere loses messages whose template is not there", () => {
    const item = { type, normalised: withActions(block, message) } as const;
    expect(plan({ item })).toMatchObject({ desired: withActions(block, message), notes: [] });
    expect(plan({ item, isElsewhere: true })).toMatchObject({
      action: "create",
      desired: withActions(block),
      notes: ["It no longer sends a message: the message's template means nothing at Contoso."],
    });
    const present = there({ type, payload: withActions(block), assignments: null });
    expect(plan({ item, present, isElsewhere: true }).action).toBe("unchanged");
  });
});

describe("Conditional Access", () => {
  const type = "conditionalAccessPolicies";
  test.each([
    [
      "enabled",
      undefined,
      "enabledForReportingButNotEnforced",
      ["It starts as report-only; in the backup it is enforced."],
    ],
    ["disabled", undefined, "disabled", []],
    ["enabled", undoOptions, "enabled", []],
  ])("one that was %s and is created with %j starts as %s", (state, options, starts, notes) => {
    expect(
      plan({ item: { type, normalised: access({ state }) }, ...(options && { options }) }),
    ).toMatchObject({ action: "create", desired: { state: starts }, notes });
  });
  test("one that is there keeps its state, unless the backup's was asked for", () => {
    const present = there({
      type,
      payload: access({ state: "enabledForReportingButNotEnforced" }),
      assignments: null,
    });
    const item = { type, normalised: access({ state: "enabled" }) } as const;
    expect(plan({ item, present })).toMatchObject({
      action: "unchanged",
      notes: ["It stays report-only; in the backup it is enforced."],
    });
    expect(plan({ item, present, options: undoOptions })).toMatchObject({
      action: "update",
      desired: { state: "enabled" },
    });
  });
  const guid = "22222222-0000-4000-8000-000000000009";
  const admins = "62e90394-69f5-4237-9190-012177145e10";
  const readers = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
  const cases: [string, JsonObject, { isElsewhere?: boolean; absent?: string[] }, unknown][] = [
    [
      "an excluded group that is gone",
      { users: { includeUsers: ["All"], excludeGroups: [staff] } },
      { absent: [staff] },
      /leaves out a group/,
    ],
    [
      "the only included group is gone",
      { users: { includeUsers: [], includeGroups: [staff] } },
      { absent: [staff] },
      /Nothing would be left of the users/,
    ],
    [
      "one of two included groups is gone",
      { users: { includeGroups: [staff, pilots] } },
      { absent: [staff] },
      { users: { includeGroups: [pilots] } },
    ],
    [
      "people of the same tenant stay",
      { users: { includeUsers: [guid], excludeUsers: [guid] } },
      {},
      { users: { includeUsers: [guid], excludeUsers: [guid] } },
    ],
    [
      "an excluded person means nothing elsewhere",
      { users: { includeUsers: ["All"], excludeUsers: [guid] } },
      { isElsewhere: true },
      /leaves out a person/,
    ],
    [
      "an included person neither",
      { users: { includeUsers: [guid], includeGroups: [pilots] } },
      { isElsewhere: true },
      { users: { includeUsers: [], includeGroups: [pilots] } },
    ],
    [
      "directory roles are named by their templates, the same everywhere",
      { users: { includeRoles: [admins], excludeRoles: [readers] } },
      { isElsewhere: true },
      { users: { includeRoles: [admins], excludeRoles: [readers] } },
    ],
    [
      "an included person of another directory beside a role is left out",
      { users: { includeUsers: [guid], includeRoles: [admins] } },
      { isElsewhere: true },
      { users: { includeUsers: [], includeRoles: [admins] } },
    ],
    [
      "an excluded location neither",
      { locations: { includeLocations: ["All"], excludeLocations: [guid] } },
      { isElsewhere: true },
      /leaves out a location/,
    ],
    [
      "the only included location neither",
      { locations: { includeLocations: [guid] } },
      { isElsewhere: true },
      /Nothing would be left of the locations/,
    ],
    [
      "words are the same everywhere",
      { locations: { includeLocations: ["All"], excludeLocations: ["AllTrusted"] } },
      { isElsewhere: true },
      { locations: { includeLocations: ["All"], excludeLocations: ["AllTrusted"] } },
    ],
  ];
  test.each(cases)("%s", (_title, conditions, given, expected) => {
    const planned = plan({ item: { type, normalised: access({ conditions }) }, ...given });
    if (expected instanceof RegExp)
      expect(planned).toMatchObject({ action: "refused", reason: expect.stringMatching(expected) });
    else expect(planned).toMatchObject({ action: "create", desired: { conditions: expected } });
  });
  test.each([
    [
      "an authentication strength of the other tenant's own",
      { authenticationStrength: { id: guid } },
      "refused",
    ],
    [
      "one that every tenant has",
      { authenticationStrength: { id: "00000000-0000-0000-0000-000000000004" } },
      "create",
    ],
    ["terms of use of the other tenant's", { termsOfUse: [guid] }, "refused"],
  ])("%s elsewhere: %s", (_title, grantControls, action) => {
    expect(plan({ item: { type, normalised: access({ grantControls }) }, isElsewhere: true }).action).toBe(
      action,
    );
    expect(plan({ item: { type, normalised: access({ grantControls }) } }).action).toBe("create");
  });
});

describe("a secret that is in no backup", () => {
  const wifi = { ...payload, preSharedKey: null };
  const custom = (value: string, other: string) => ({
    ...payload,
    omaSettings: [
      { omaUri: "a", value },
      { omaUri: "b", value: other },
    ],
  });
  test("stays as it is at the target, and what is around it is written", () => {
    const present = there({ payload: { ...wifi, description: "changed" }, notCaptured: ["/preSharedKey"] });
    expect(plan({ item: { normalised: wifi, notCaptured: ["/preSharedKey"] }, present })).toMatchObject({
      action: "update",
      diff: [{ path: "description" }],
      notes: ["The secret at preSharedKey is not captured and stays as it is."],
    });
  });
  test("will be empty in a policy that is created, also where asterisks stand for it", () => {
    const notes = ["The secret at preSharedKey is not captured and will be empty."];
    expect(plan({ item: { normalised: wifi, notCaptured: ["/preSharedKey"] } })).toMatchObject({
      action: "create",
      notes,
    });
    const hidden = { ...payload, preSharedKey: "****" };
    expect(plan({ item: { normalised: hidden, notCaptured: ["/preSharedKey"] } })).toMatchObject({
      desired: { preSharedKey: null },
      notes,
    });
  });
  test("refuses what cannot be created without it: its stand-in would become the secret", () => {
    expect(
      plan({ item: { normalised: custom("****", "x"), notCaptured: ["/omaSettings/0/value"] } }),
    ).toMatchObject({
      action: "refused",
      reason:
        "The secret at omaSettings[0].value is not captured, and the policy cannot be written without it.",
    });
  });
  test("refuses an update that would write its stand-in over it, and no other", () => {
    const item = { normalised: custom("****", "x"), notCaptured: ["/omaSettings/0/value"] };
    const with_ = (live: JsonObject) =>
      plan({ item, present: there({ payload: live, notCaptured: ["/omaSettings/0/value"] }) });
    expect(with_(custom("****", "y"))).toMatchObject({
      action: "refused",
      reason: expect.stringMatching(/would lose it/),
    });
    expect(with_({ ...custom("****", "x"), description: "changed" })).toMatchObject({ action: "update" });
  });
});

type Given = {
  item?: Partial<SourceItem>;
  present?: ProviderPolicy;
  options?: Partial<RestoreOptions>;
  isElsewhere?: boolean;
  absent?: string[];
  found?: Record<string, string | JsonObject>;
};

function plan({ item, present, options, isElsewhere = false, absent = [], found = {} }: Given) {
  const source: SourceItem = {
    type: "deviceConfigurations",
    normalised: payload,
    assignments: null,
    notCaptured: [],
    names,
    ...item,
  };
  const look =
    (what: string) =>
    (id: string, name: string | null): Resolved =>
      absent.includes(id)
        ? { kind: "absent", why: `the ${what} “${name}” does not exist at Contoso` }
        : { kind: "found", id: found[id] ?? id };
  const resolve: Resolver = {
    tenantName: "Contoso",
    isElsewhere,
    group: look("group"),
    filter: look("filter"),
    scopeTag: look("scope tag"),
  };
  return planItem({
    item: source,
    present: present ?? null,
    options: { ...defaultOptions, ...options },
    resolve,
    planWrites,
  });
}

function there(given: Partial<ProviderPolicy> & { type?: PolicyType }): ProviderPolicy {
  const { type = "deviceConfigurations", payload: raw = payload, ...more } = given;
  return {
    id: "p1",
    name: "Baseline",
    odataType: "#microsoft.graph.windows10GeneralConfiguration",
    payload: raw,
    matchKey: "key",
    normalised: normalise(type, raw),
    notCaptured: [],
    assignments: [],
    ...more,
  };
}
