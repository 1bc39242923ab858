import { describe, expect, test } from "@jest/globals";
import { generatePolicy } from "../../server/demo/sandbox/policies.ts";
import { matchKeyOf } from "../../server/provider/graph/matchKey.ts";
import { normalise } from "../../server/provider/graph/normalise.ts";
import { notCaptured } from "../../server/provider/graph/notCaptured.ts";
import { policyTypes } from "../../server/provider/policyTypes.ts";
import type { JsonObject } from "../../server/provider/port.ts";

const address = "https://graph.microsoft.com/beta/deviceManagement/groupPolicyDefinitions";

describe("A normalised policy", () => {
  test("lacks what only the provider sets, and every annotation but types and references", () => {
    const normalised = normalise("deviceConfigurations", {
      "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement",
      "@odata.type": "#microsoft.graph.windows10CustomConfiguration",
      "roleScopeTagIds@odata.type": "#Collection(String)",
      "#microsoft.graph.assign": { title: "microsoft.graph.assign" },
      "rootCertificate@odata.bind": "https://graph.microsoft.com/beta/deviceManagement/x('1')",
      id: "1",
      createdDateTime: "2024-01-01T00:00:00Z",
      lastModifiedDateTime: "2024-01-01T00:00:00Z",
      version: 7,
      supportsScopeTags: true,
      isAssigned: true,
      assignments: [],
      displayName: "Kept",
      description: null,
      omaSettings: [
        {
          "@odata.type": "#microsoft.graph.omaSettingString",
          "value@odata.type": "#String",
          omaUri: "./Device",
          isEncrypted: false,
          secretReferenceValueId: null,
          value: "a",
        },
      ],
    });
    expect(normalised).toEqual({
      "@odata.type": "#microsoft.graph.windows10CustomConfiguration",
      "rootCertificate@odata.bind": "https://graph.microsoft.com/beta/deviceManagement/x('1')",
      displayName: "Kept",
      description: null,
      omaSettings: [{ "@odata.type": "#microsoft.graph.omaSettingString", omaUri: "./Device", value: "a" }],
    });
  });

  test("has its keys in order, at every depth", () => {
    const normalised = normalise("deviceConfigurations", { b: { d: 1, c: [{ f: 1, e: 2 }] }, a: 1 });
    expect(JSON.stringify(normalised)).toBe('{"a":1,"b":{"c":[{"e":2,"f":1}],"d":1}}');
  });

  test("of Conditional Access lacks nulls, and its authentication strength is its id", () => {
    const grantControls = { authenticationStrength: { id: "4", displayName: "MFA" }, operator: "OR" };
    const normalised = normalise("conditionalAccessPolicies", {
      templateId: "t",
      sessionControls: null,
      conditions: { locations: null, users: { includeUsers: ["All"], includeGuestsOrExternalUsers: null } },
      grantControls: {
        ...grantControls,
        termsOfUse: [],
        "authenticationStrength@odata.context": "https://x",
      },
    });
    expect(normalised).toEqual({
      conditions: { users: { includeUsers: ["All"] } },
      grantControls: { authenticationStrength: { id: "4" }, operator: "OR", termsOfUse: [] },
    });
  });

  test("does not show that settings and scheduled actions were made anew", () => {
    const settings = (id: string) => [{ id, settingInstance: { settingDefinitionId: "a" } }];
    expect(normalise("configurationPolicies", { settings: settings("0") })).toEqual(
      normalise("configurationPolicies", { settings: settings("7") }),
    );
    const actions = (id: string) => [
      { id, ruleName: null, scheduledActionConfigurations: [{ id, actionType: "block" }] },
    ];
    expect(normalise("deviceCompliancePolicies", { scheduledActionsForRule: actions("1") })).toEqual({
      scheduledActionsForRule: [{ ruleName: null, scheduledActionConfigurations: [{ actionType: "block" }] }],
    });
  });

  test("refers to the definitions of an administrative template the same way wherever they were read", () => {
    const read = normalise("groupPolicyConfigurations", {
      definitionValues: [
        { id: "2", enabled: false, definition: { id: "d2", displayName: "Two" }, presentationValues: [] },
        {
          id: "1",
          enabled: true,
          lastModifiedDateTime: "2024-01-01T00:00:00Z",
          definition: { id: "d1", displayName: "One" },
          presentationValues: [{ id: "9", value: "x", presentation: { id: "p1", label: "Text" } }],
        },
      ],
    });
    const exported = normalise("groupPolicyConfigurations", {
      definitionValues: [
        {
          "definition@odata.bind": `${address}('d1')`,
          enabled: true,
          presentationValues: [
            { "presentation@odata.bind": `${address}('d1')/presentations('p1')`, value: "x" },
          ],
        },
        { "definition@odata.bind": `${address}('d2')`, enabled: false },
      ],
    });
    expect(read).toEqual(exported);
    expect(read).toHaveProperty(
      ["definitionValues", "0", "presentationValues", "0", "presentation@odata.bind"],
      "/deviceManagement/groupPolicyDefinitions('d1')/presentations('p1')",
    );
  });

  test.each(policyTypes)("of %s stays as it is when normalised again", (type) => {
    for (let index = 0; index < 12; index++) {
      const normalised = normalise(type, generatePolicy("north", type, index));
      expect(normalise(type, normalised)).toEqual(normalised);
      expect(JSON.stringify(normalise(type, normalised))).toBe(JSON.stringify(normalised));
    }
  });

  test("keeps a key that is the name of something of JavaScript's own", () => {
    const payload = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
    expect(JSON.stringify(normalise("roleScopeTags", payload))).toBe('{"__proto__":{"a":1},"constructor":2}');
  });
});

describe("The match key", () => {
  const template: JsonObject = { templateId: "t_1", templateFamily: "baseline" };
  test.each([
    ["deviceConfigurations", { displayName: "A", "@odata.type": "#x" }, '["A","#x"]'],
    [
      "configurationPolicies",
      { name: "A", technologies: "mdm", templateReference: template },
      '["A","mdm","t_1"]',
    ],
    ["configurationPolicies", { name: "A", technologies: "mdm", templateReference: null }, '["A","mdm",""]'],
    [
      "groupPolicyConfigurations",
      { displayName: "A", policyConfigurationIngestionType: "custom" },
      '["A","custom"]',
    ],
    ["conditionalAccessPolicies", { displayName: "A", "@odata.type": "#x" }, '["A"]'],
  ] as const)("of %s is made of what handbook 4 names", (type, payload, key) => {
    expect(matchKeyOf(type, payload)).toBe(key);
  });

  test.each(policyTypes)("of %s is the same for the normalised policy", (type) => {
    const payload = generatePolicy("north", type, 3);
    expect(matchKeyOf(type, normalise(type, payload))).toBe(matchKeyOf(type, payload));
  });
});

describe("What is not captured", () => {
  test.each<[string, JsonObject, string[]]>([
    [
      "an encrypted custom setting",
      { omaSettings: [{ value: 1 }, { isEncrypted: true, value: "****" }] },
      ["/omaSettings/1/value"],
    ],
    [
      "the key of a Wi-Fi network",
      { wiFiSecurityType: "wpaPersonal", preSharedKey: null },
      ["/preSharedKey"],
    ],
    ["nothing for a network without a key", { wiFiSecurityType: "wpaEnterprise", preSharedKey: null }, []],
    ["a key that is said to be set", { preSharedKey: null, preSharedKeyIsSet: true }, ["/preSharedKey"]],
    ["a password in asterisks", { proxy: { "a/b": { password: "****" } } }, ["/proxy/a~1b/password"]],
    ["nothing for a password that is not set", { password: null }, []],
    [
      "a secret of the settings catalog",
      {
        settings: [
          { settingInstance: { simpleSettingValue: { value: "t", valueState: "encryptedValueToken" } } },
        ],
      },
      ["/settings/0/settingInstance/simpleSettingValue/value"],
    ],
  ])("is %s", (_what, payload, pointers) => {
    expect(notCaptured(payload)).toEqual(pointers);
  });
});
