import { describe, expect, test } from "@jest/globals";
import type { PolicyType } from "../../server/provider/policyTypes.ts";
import { type Caller, openCaller } from "./sandboxCalls.ts";
import { readRoles, useSandbox } from "./sandboxed.ts";

const openDirectory = useSandbox();
const open = (definition: Parameters<typeof openCaller>[1] = {}) => openCaller(openDirectory, definition);

const root = "/beta/deviceManagement";
const paths: Record<PolicyType, string> = {
  assignmentFilters: `${root}/assignmentFilters`,
  roleScopeTags: `${root}/roleScopeTags`,
  deviceConfigurations: `${root}/deviceConfigurations`,
  deviceCompliancePolicies: `${root}/deviceCompliancePolicies`,
  configurationPolicies: `${root}/configurationPolicies`,
  groupPolicyConfigurations: `${root}/groupPolicyConfigurations`,
  deviceManagementScripts: `${root}/deviceManagementScripts`,
  conditionalAccessPolicies: "/v1.0/identity/conditionalAccess/policies",
};
const block = { actionType: "block", gracePeriodHours: 0 };
const rule = { ruleName: "PasswordRequired", scheduledActionConfigurations: [block] };
const setting = (value: string) => ({
  settingInstance: { "@odata.type": "#microsoft.graph.x", settingDefinitionId: "x", value },
});
const users = { includeUsers: ["All"] };
/** What Graph takes as a new object of each type. */
const valid = {
  assignmentFilters: { displayName: "F", platform: "iOS", rule: '(device.model -eq "X")' },
  roleScopeTags: { displayName: "T", description: "" },
  deviceConfigurations: {
    "@odata.type": "#microsoft.graph.iosGeneralDeviceConfiguration",
    displayName: "D",
    passcodeRequired: true,
  },
  deviceCompliancePolicies: {
    "@odata.type": "#microsoft.graph.iosCompliancePolicy",
    displayName: "C",
    passcodeRequired: true,
    scheduledActionsForRule: [rule],
  },
  configurationPolicies: { name: "S", platforms: "windows10", technologies: "mdm", settings: [setting("1")] },
  groupPolicyConfigurations: { displayName: "G", policyConfigurationIngestionType: "builtIn" },
  deviceManagementScripts: { displayName: "P", scriptContent: "ZWNobw==", fileName: "p.ps1" },
  conditionalAccessPolicies: {
    displayName: "A",
    state: "disabled",
    conditions: { users, applications: { includeApplications: ["All"] } },
    grantControls: { operator: "OR", builtInControls: ["mfa"] },
  },
} satisfies Record<PolicyType, object>;
const types = Object.keys(valid).filter((type): type is PolicyType => type in valid);
const intuneTypes = types.filter((type) => type !== "conditionalAccessPolicies");

async function created(caller: Caller, type: PolicyType, body: object = valid[type]): Promise<string> {
  const answer = await caller.call("POST", paths[type], body);
  if (answer.status !== 201) throw new Error(`It was answered ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text).id;
}

describe.each(types)("Of %s", (type) => {
  test("a new one is made, with an id and what the service sets", async () => {
    const caller = await open();
    const id = await created(caller, type);
    expect((await caller.call("GET", `${paths[type]}/${id}`)).body).toMatchObject({ id });
    const kept = await caller.control.getPolicy(caller.directoryId, type, id);
    expect(kept?.payload).toMatchObject({
      ...valid[type],
      ...(kept?.payload.settings ? { settings: [{}] } : {}),
    });
    if (type !== "roleScopeTags") expect(kept?.payload.createdDateTime).toMatch(/^\d{4}-/);
    expect(kept?.payload.version).toBe(
      type === "deviceConfigurations" || type === "deviceCompliancePolicies" ? 1 : undefined,
    );
  });

  test("two may have the same name", async () => {
    const caller = await open();
    expect(await created(caller, type)).not.toBe(await created(caller, type));
    expect(await caller.control.listPolicies(caller.directoryId, type)).toHaveLength(2);
  });

  test("one is changed, and when that was moves on", async () => {
    const caller = await open();
    const id = await created(caller, type);
    const before = await caller.control.getPolicy(caller.directoryId, type, id);
    const nameKey = type === "configurationPolicies" ? "name" : "displayName";
    const { "@odata.type": odataType } = { "@odata.type": undefined, ...valid[type] };
    const change = { [nameKey]: "Renamed", ...(odataType && { "@odata.type": odataType }) };
    const answer = await caller.call("PATCH", `${paths[type]}/${id}`, change);
    expect(answer.status).toBe(type === "conditionalAccessPolicies" ? 204 : 200);
    const after = await caller.control.getPolicy(caller.directoryId, type, id);
    expect(after?.payload[nameKey]).toBe("Renamed");
    const modified = type === "conditionalAccessPolicies" ? "modifiedDateTime" : "lastModifiedDateTime";
    if (type !== "roleScopeTags") expect(after?.payload[modified]).not.toBe(before?.payload[modified]);
    if (before?.payload.version === 1) expect(after?.payload.version).toBe(2);
  });

  test("one is deleted once", async () => {
    const caller = await open();
    const address = `${paths[type]}/${await created(caller, type)}`;
    const { status } = await caller.call("DELETE", address);
    expect(status).toBe(type === "conditionalAccessPolicies" ? 204 : 200);
    for (const method of ["GET", "PATCH", "DELETE"])
      expect((await caller.call(method, address, method === "PATCH" ? {} : undefined)).status).toBe(404);
  });

  test.each([
    ["id", "id", "x"],
    ["a time of creation", "createdDateTime", "2026-01-01T00:00:00Z"],
    ["a time of change", "lastModifiedDateTime", "2026-01-01T00:00:00Z"],
    ["Conditional Access's time of change", "modifiedDateTime", null],
    ["a version", "version", 3],
    ["whether it supports tags", "supportsScopeTags", true],
    ["whether it is assigned", "isAssigned", true],
    ["its assignments", "assignments", []],
    ["a count of settings", "settingCount", 1],
    ["how it was created", "creationSource", null],
    ["a template", "templateId", null],
    ["an annotation", "@odata.context", "https://graph"],
    ["an annotation of a property", "roleScopeTagIds@odata.type", "#Collection(String)"],
    ["an action", "#microsoft.graph.assign", {}],
    ["a property that nobody knows", "colour", "red"],
  ])("none is made or changed with %s", async (_what, key, value) => {
    const caller = await open();
    const id = await created(caller, type);
    const body = { ...valid[type], [key]: value };
    const form = type === "conditionalAccessPolicies" ? /^The/ : /^Intune: The/;
    expect(await caller.refusal(400, "POST", paths[type], body)).toMatch(form);
    expect(await caller.refusal(400, "PATCH", `${paths[type]}/${id}`, body)).toContain(`'${key}'`);
    expect(await caller.control.listPolicies(caller.directoryId, type)).toHaveLength(1);
  });

  test("none is made without a name, nor with another's type", async () => {
    const caller = await open();
    const nameless = { ...valid[type], name: "", displayName: "" };
    const { [type === "configurationPolicies" ? "displayName" : "name"]: _other, ...body } = nameless;
    expect(await caller.refusal(400, "POST", paths[type], body)).toMatch(/must not be empty/);
    const other = { ...valid[type], "@odata.type": "#microsoft.graph.iosGeneralDevice" };
    await caller.refusal(400, "POST", paths[type], other);
    await caller.refusal(400, "POST", paths[type], []);
  });

  test("none is made, changed or deleted with permissions to read only", async () => {
    const caller = await open({ roles: readRoles });
    await caller.control.putPolicy(caller.directoryId, type, "a", { displayName: "A", name: "A" });
    expect((await caller.call("GET", `${paths[type]}/a`)).status).toBe(200);
    const form =
      type === "conditionalAccessPolicies" ? /^You cannot/ : /^Intune: Application is not authorized/;
    expect(await caller.refusal(403, "POST", paths[type], valid[type])).toMatch(form);
    await caller.refusal(403, "PATCH", `${paths[type]}/a`, {});
    await caller.refusal(403, "DELETE", `${paths[type]}/a`);
    await caller.refusal(403, "POST", `${paths[type]}/a/assign`, { assignments: [] });
  });
});

describe("A type of many types", () => {
  test.each(["deviceConfigurations", "deviceCompliancePolicies"] as const)(
    "is named in every write of %s, and cannot be changed",
    async (type) => {
      const caller = await open();
      const { "@odata.type": _type, ...untyped } = valid[type];
      expect(await caller.refusal(400, "POST", paths[type], untyped)).toContain("@odata.type");
      const address = `${paths[type]}/${await created(caller, type)}`;
      expect(await caller.refusal(400, "PATCH", address, { displayName: "X" })).toContain("@odata.type");
      const another = { "@odata.type": "#microsoft.graph.macOSCompliancePolicy", displayName: "X" };
      expect(await caller.refusal(400, "PATCH", address, another)).toContain("is not the expected");
    },
  );

  test("has the properties that policies of it were seen with, and no other's", async () => {
    const caller = await open();
    const odataType = "#microsoft.graph.windowsDomainJoinConfiguration";
    const body = { "@odata.type": odataType, displayName: "J", computerNameStaticPrefix: "PC" };
    await caller.refusal(400, "POST", paths.deviceConfigurations, body);
    await caller.control.putPolicy(caller.directoryId, "deviceConfigurations", "seen", {
      ...body,
      version: 4,
    });
    await created(caller, "deviceConfigurations", body);
    await caller.refusal(400, "POST", paths.deviceConfigurations, { ...body, passcodeRequired: true });
  });
});

describe("Compliance policies", () => {
  const type = "deviceCompliancePolicies";

  test("are not made without what happens to devices that do not comply", async () => {
    const caller = await open();
    const { scheduledActionsForRule: _actions, ...body } = valid[type];
    expect(await caller.refusal(400, "POST", paths[type], body)).toContain("scheduledActionsForRule");
    for (const rules of [[], [rule, rule], [{ ...rule, scheduledActionConfigurations: [] }]])
      await caller.refusal(400, "POST", paths[type], { ...body, scheduledActionsForRule: rules });
  });

  test("have their actions replaced by an action of its own, not by a change", async () => {
    const caller = await open();
    const address = `${paths[type]}/${await created(caller, type)}`;
    expect(await caller.refusal(400, "PATCH", address, valid[type])).toContain("cannot be written by PATCH");
    const mail = { actionType: "notification", gracePeriodHours: 0 };
    const rules = [{ ...rule, scheduledActionConfigurations: [mail, { ...block, gracePeriodHours: 48 }] }];
    const action = `${address}/scheduleActionsForRules`;
    const done = await caller.call("POST", action, { deviceComplianceScheduledActionForRules: rules });
    expect(done.status).toBe(204);
    await caller.refusal(400, "POST", action, { scheduledActionsForRule: rules });
    await caller.refusal(400, "POST", action, { deviceComplianceScheduledActionForRules: [] });
    const expand = "$expand=scheduledActionsForRule($expand=scheduledActionConfigurations)";
    const { body } = await caller.call("GET", `${address}?${expand}`);
    expect(body).toMatchObject({ version: 2, scheduledActionsForRule: rules });
    expect((await caller.call("GET", address)).body).not.toHaveProperty("scheduledActionsForRule");
  });
});

describe("Settings catalog policies", () => {
  const type = "configurationPolicies";

  test("are replaced whole; a change of their settings is refused", async () => {
    const caller = await open();
    const body = { ...valid[type], description: "as it was" };
    const address = `${paths[type]}/${await created(caller, type, body)}`;
    await caller.refusal(400, "PATCH", address, { settings: [setting("2")] });
    const { settings: _settings, ...partial } = valid[type];
    await caller.refusal(400, "PUT", address, partial);
    await caller.refusal(400, "PUT", address, { ...body, settingCount: 1 });
    const settings = [setting("2"), setting("3")];
    expect((await caller.call("PUT", address, { ...valid[type], settings })).status).toBe(204);
    const { body: after } = await caller.call("GET", address);
    expect(after).toMatchObject({ name: "S", settingCount: 2, createdDateTime: expect.any(String) });
    expect(after).not.toHaveProperty("description");
    expect((await caller.call("GET", `${address}/settings`)).body).toEqual({
      value: settings.map((each, index) => ({ ...each, id: String(index) })),
    });
  });

  test("alone can be replaced", async () => {
    const caller = await open();
    const id = await created(caller, "deviceConfigurations");
    await caller.refusal(405, "PUT", `${paths.deviceConfigurations}/${id}`, valid.deviceConfigurations);
  });
});

describe("Administrative templates", () => {
  const type = "groupPolicyConfigurations";
  const catalogue = "https://graph.microsoft.com/beta/deviceManagement/groupPolicyDefinitions";
  const oneDrive = "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1c01";
  const tenantId = "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1d01";
  const text = {
    "@odata.type": "#microsoft.graph.groupPolicyPresentationValueText",
    value: "contoso",
    "presentation@odata.bind": `${catalogue}('${oneDrive}')/presentations('${tenantId}')`,
  };
  const value = {
    enabled: true,
    "definition@odata.bind": `${catalogue}('${oneDrive}')`,
    presentationValues: [text],
  };

  test("are made as a shell, then given, and relieved of, their values", async () => {
    const caller = await open();
    await caller.refusal(400, "POST", paths[type], { ...valid[type], definitionValues: [value] });
    const address = `${paths[type]}/${await created(caller, type)}`;
    const update = (body: object) => caller.call("POST", `${address}/updateDefinitionValues`, body);
    expect((await update({ added: [value], updated: [], deletedIds: [] })).status).toBe(204);
    const listed = await caller.call("GET", `${address}/definitionValues?$expand=definition`);
    expect(listed.body).toMatchObject({ value: [{ enabled: true, definition: { id: oneDrive } }] });
    const [{ id }] = JSON.parse(listed.text).value;
    const within = `${address}/definitionValues/${id}/presentationValues?$expand=presentation`;
    expect((await caller.call("GET", within)).body).toMatchObject({
      value: [{ value: "contoso", presentation: { id: tenantId } }],
    });
    const changed = { ...value, id, presentationValues: [{ ...text, value: "adatum" }] };
    expect((await update({ added: [], updated: [changed], deletedIds: [] })).status).toBe(204);
    expect((await caller.call("GET", within)).text).toContain("adatum");
    expect((await update({ added: [], updated: [], deletedIds: [id] })).status).toBe(204);
    expect((await caller.call("GET", `${address}/definitionValues`)).body).toEqual({ value: [] });
  });

  test.each([
    ["of a definition that does not exist", { ...value, "definition@odata.bind": `${catalogue}('x')` }],
    [
      "of another definition's input",
      { ...value, "definition@odata.bind": `${catalogue}('f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1c02')` },
    ],
    ["with an input of no type", { ...value, presentationValues: [{ ...text, "@odata.type": null }] }],
    ["with what a backup tool noted down", { ...value, "#Definition_Id": oneDrive }],
    ["with the whole definition", { ...value, definition: { id: oneDrive } }],
    ["with an id of their own", { ...value, id: "x" }],
  ])("take no values %s", async (_what, added) => {
    const caller = await open();
    const address = `${paths[type]}/${await created(caller, type)}`;
    await caller.refusal(400, "POST", `${address}/updateDefinitionValues`, { added: [added] });
    expect((await caller.call("GET", `${address}/definitionValues`)).body).toEqual({ value: [] });
  });

  test("have one value of a definition at most, and change only what they have", async () => {
    const caller = await open();
    const address = `${paths[type]}/${await created(caller, type)}/updateDefinitionValues`;
    await caller.refusal(400, "POST", address, { added: [value, value] });
    await caller.refusal(400, "POST", address, { updated: [{ ...value, id: "x" }] });
    await caller.refusal(400, "POST", address, { deletedIds: ["x"] });
  });
});

describe("Conditional Access", () => {
  const type = "conditionalAccessPolicies";

  test.each([
    ["nulls", { sessionControls: null }],
    ["nulls within", { conditions: { users, platforms: null } }],
    [
      "a whole authentication strength",
      { grantControls: { operator: "OR", authenticationStrength: { id: "4", displayName: "x" } } },
    ],
    ["a state that is none", { state: "reporting" }],
  ])("takes no new policy with %s", async (_what, part) => {
    const caller = await open();
    await caller.refusal(400, "POST", paths[type], { ...valid[type], ...part });
  });

  test("gives what was not set as null and a strength whole, and changes conditions one by one", async () => {
    const caller = await open();
    const grantControls = { operator: "OR", authenticationStrength: { id: "4" } };
    const address = `${paths[type]}/${await created(caller, type, { ...valid[type], grantControls })}`;
    expect((await caller.call("GET", address)).body).toMatchObject({
      sessionControls: null,
      templateId: null,
      modifiedDateTime: null,
      conditions: { users, platforms: null },
      grantControls: { authenticationStrength: { id: "4", displayName: expect.any(String) } },
    });
    await caller.refusal(400, "PATCH", address, { conditions: { users: { includeUsers: null } } });
    const platforms = { includePlatforms: ["iOS"] };
    await caller.call("PATCH", address, { conditions: { platforms } });
    expect((await caller.call("GET", address)).body).toMatchObject({ conditions: { users, platforms } });
    const more = { excludeGuestsOrExternalUsers: { guestOrExternalUserTypes: "internalGuest" } };
    await caller.call("PATCH", address, { conditions: { users: more } });
    expect((await caller.call("GET", address)).body).toMatchObject({
      conditions: { users: { ...users, ...more } },
    });
    const none = { users: { excludeGuestsOrExternalUsers: null }, platforms: null };
    await caller.call("PATCH", address, { grantControls: null, conditions: none });
    expect((await caller.call("GET", address)).body).toMatchObject({
      grantControls: null,
      conditions: { users, platforms: null },
    });
  });

  test("lets one request through in a while, where the directory says so, and says when to come back", async () => {
    const caller = await open({ conditionalAccessLimit: 60_000, policies: 10 });
    expect((await caller.call("GET", paths[type])).status).toBe(200);
    const second = await caller.call("POST", paths[type], valid[type]);
    expect([second.status, second.headers.get("retry-after")]).toEqual([429, "1"]);
    expect((await caller.call("GET", paths.deviceConfigurations)).status).toBe(200);
  });
});

describe("Assignments", () => {
  const target = { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: "g1" };
  const everyone = { "@odata.type": "#microsoft.graph.allDevicesAssignmentTarget" };
  const assignable = intuneTypes.filter((type) => type !== "assignmentFilters" && type !== "roleScopeTags");

  test.each(assignable)("of %s are replaced as a whole set", async (type) => {
    const caller = await open();
    const address = `${paths[type]}/${await created(caller, type)}`;
    const isScript = type === "deviceManagementScripts";
    const key = isScript ? "deviceManagementScriptAssignments" : "assignments";
    const assign = (targets: object[]) =>
      caller.call("POST", `${address}/assign`, { [key]: targets.map((each) => ({ target: each })) });
    const first = await assign([target, everyone]);
    expect([first.status, first.text === ""]).toEqual([200, isScript]);
    const listed = await caller.call("GET", `${address}/assignments`);
    expect(listed.body).toMatchObject({ value: [{ target, source: "direct" }, { target: everyone }] });
    await assign([{ ...everyone, "@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget" }]);
    expect(JSON.parse((await caller.call("GET", `${address}/assignments`)).text).value).toHaveLength(1);
    expect((await assign([])).status).toBe(200);
    expect((await caller.call("GET", `${address}/assignments`)).body).toEqual({ value: [] });
    const other = isScript ? "assignments" : "deviceManagementScriptAssignments";
    await caller.refusal(400, "POST", `${address}/assign`, { [other]: [] });
  });

  test.each([
    ["ids", { id: "x", target }],
    ["their source", { source: "direct", target }],
    ["no target", {}],
    ["a target of no kind", { target: { groupId: "g1" } }],
    ["a target that is not known", { target: { ...target, "@odata.type": "#microsoft.graph.everybody" } }],
    ["no group", { target: { "@odata.type": target["@odata.type"] } }],
    ["a filter that does not exist", { target: withFilter("nowhere", "include") }],
    ["a filter that neither includes nor excludes", { target: withFilter("f", "none") }],
  ])("are not set with %s", async (_what, assignment) => {
    const caller = await open();
    const { directoryId, control } = caller;
    await control.putPolicy(directoryId, "assignmentFilters", "f", valid.assignmentFilters);
    const given = { displayName: "A" };
    await control.putPolicy(directoryId, "deviceConfigurations", "a", given, [{ target: everyone }]);
    const address = `${paths.deviceConfigurations}/a/assign`;
    await caller.refusal(400, "POST", address, { assignments: [assignment] });
    const kept = await control.getPolicy(directoryId, "deviceConfigurations", "a");
    expect(kept?.assignments).toEqual([{ target: everyone }]);
  });

  test("are narrowed by a filter that exists, and name a target once", async () => {
    const caller = await open();
    const filter = await created(caller, "assignmentFilters");
    const address = `${paths.deviceConfigurations}/${await created(caller, "deviceConfigurations")}/assign`;
    const filtered = { target: withFilter(filter, "exclude") };
    expect((await caller.call("POST", address, { assignments: [filtered] })).status).toBe(200);
    await caller.refusal(400, "POST", address, { assignments: [filtered, { target }] });
  });

  function withFilter(id: string, kind: string): object {
    return {
      ...target,
      deviceAndAppManagementAssignmentFilterId: id,
      deviceAndAppManagementAssignmentFilterType: kind,
    };
  }
});

describe("A write", () => {
  const address = paths.deviceConfigurations;
  const body = valid.deviceConfigurations;
  const isArrived = (request: { method: string }) => request.method === "POST";

  test("that is held and given up is not carried out", async () => {
    const caller = await open();
    await caller.setFaults({ kind: "hold", method: "POST", path: "/deviceConfigurations" });
    expect((await caller.call("GET", address)).status).toBe(200);
    const stop = new AbortController();
    const arrived = caller.sandbox.requests.next(isArrived);
    const writing = caller.call("POST", address, body, stop.signal);
    await arrived;
    const broken = caller.sandbox.requests.next((request) => request.broken);
    stop.abort();
    await expect(writing).rejects.toThrow();
    await broken;
    await caller.control.clearFaults(caller.directoryId);
    expect(await caller.control.listPolicies(caller.directoryId, "deviceConfigurations")).toEqual([]);
  });

  test.each(["hold", "disconnect"] as const)("may be done although its answer is lost: %s", async (kind) => {
    const caller = await open();
    await caller.setFaults({ kind, after: true, method: "POST" });
    const stop = new AbortController();
    const writing = caller.call("POST", address, body, stop.signal).catch(() => "no answer");
    const kept = () => caller.control.listPolicies(caller.directoryId, "deviceConfigurations");
    while ((await kept()).length === 0) await caller.control.requests(caller.directoryId);
    stop.abort();
    expect(await writing).toBe("no answer");
    expect(await kept()).toHaveLength(1);
    expect(caller.requests("graph").map(({ method, status }) => [method, status])).toEqual([["POST", null]]);
  });

  test("that is held before it is carried out is done when it is let go", async () => {
    const caller = await open();
    await caller.setFaults({ kind: "hold", method: "POST" });
    const arrived = caller.sandbox.requests.next(isArrived);
    const writing = caller.call("POST", address, body);
    await arrived;
    expect(await caller.control.listPolicies(caller.directoryId, "deviceConfigurations")).toEqual([]);
    await caller.control.clearFaults(caller.directoryId);
    expect((await writing).status).toBe(201);
  });

  test("may be done and answered with an error all the same", async () => {
    const caller = await open();
    await caller.setFaults({ kind: "status", status: 504, after: true, method: "POST" });
    expect((await caller.call("POST", address, body)).status).toBe(504);
    expect(await caller.control.listPolicies(caller.directoryId, "deviceConfigurations")).toHaveLength(1);
  });

  test("may need another administrator's approval, and then nothing is done", async () => {
    const caller = await open();
    await caller.setFaults({ kind: "approval_required", method: "POST" });
    const answer = await caller.call("POST", address, body);
    expect([answer.status, answer.headers.get("x-msft-approval-code")]).toEqual([403, "approval-needed"]);
    expect(await caller.control.listPolicies(caller.directoryId, "deviceConfigurations")).toEqual([]);
  });

  test("is in the log without its body, unless the directory keeps bodies", async () => {
    for (const keepBodies of [false, true]) {
      const caller = await open({ keepBodies });
      await caller.call("POST", address, body);
      await caller.call("GET", address);
      expect(caller.requests("graph").map((request) => request.body)).toEqual([
        keepBodies ? body : null,
        null,
      ]);
    }
  });

  test("must be JSON and say so", async () => {
    const caller = await open();
    for (const [type, text] of [
      ["text/plain", JSON.stringify(body)],
      ["application/json", "{"],
    ])
      expect((await caller.send("POST", address, text, type)).status).toBe(400);
    expect(caller.requests("graph").map(({ status }) => status)).toEqual([400, 400]);
  });
});
