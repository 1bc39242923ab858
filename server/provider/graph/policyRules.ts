import type { PolicyType } from "../policyTypes.ts";

/** How a property that holds other objects is written: what the provider sets in them is left out. */
export type PartRule = {
  leaveOut?: readonly string[];
  /** Instead: everything but these is left out. */
  keepOnly?: readonly string[];
  parts?: Readonly<Record<string, PartRule>>;
};

/**
 * What a listing leaves out of a policy: `collection` is a sub-resource kept under `key`; `definitionValues`
 * is one whose values have a sub-resource of their own; `whole` asks for each policy by itself.
 */
export type Completion =
  | { kind: "collection"; key: string; query: string }
  | { kind: "definitionValues" }
  | { kind: "whole" };

/** What differs between the policy types. */
export type PolicyRule = {
  version: "beta" | "v1.0";
  path: string;
  /** Asked for with every policy, listed or read alone. */
  expand: string | null;
  pageSize: number | null;
  nameKey: "displayName" | "name";
  /** Where in the payload the parts of the match key are. */
  matchKey: readonly (readonly [string, ...string[]])[];
  /** For collections of a single type Graph leaves `@odata.type` out; elsewhere it must be there. */
  impliedType: string | null;
  completedBy: Completion | null;
  /** Top-level properties that only the provider sets, besides those of every type. */
  readOnly: readonly string[];
  parts: Readonly<Record<string, PartRule>>;
  /** Whether nulls say nothing, so that they are neither compared nor written. */
  dropsNulls: boolean;
  /** Objects that a PATCH changes property by property, at any depth; any other is replaced as a whole. */
  mergedInto: readonly string[];
  /** PUT wants the whole object; PATCH what is to change. */
  update: "PATCH" | "PUT";
  /** A property that a PATCH may not hold, and the action that writes it instead. */
  writtenApart: { key: string; action: "actions" | "definitions"; withCreate: boolean } | null;
  /** The name `{id}/assign` wants the assignments under; null when the type has none apart from itself. */
  assignmentsKey: "assignments" | "deviceManagementScriptAssignments" | null;
};

const intune = {
  // beta, because v1.0 leaves out settings and subtypes without saying so.
  version: "beta",
  expand: null,
  pageSize: 100,
  nameKey: "displayName",
  matchKey: [["displayName"]],
  impliedType: null,
  completedBy: null,
  readOnly: [],
  parts: {},
  dropsNulls: false,
  mergedInto: [],
  update: "PATCH",
  writtenApart: null,
  assignmentsKey: "assignments",
} as const satisfies Partial<PolicyRule>;

const named = { ...intune, matchKey: [["displayName"], ["@odata.type"]] } as const;
const actionParts = { scheduledActionConfigurations: { leaveOut: ["id"] } };

/** Every policy type's rule: handbook 4's table. */
export const policyRules: Readonly<Record<PolicyType, PolicyRule>> = {
  assignmentFilters: {
    ...intune,
    path: "/deviceManagement/assignmentFilters",
    pageSize: null,
    impliedType: "#microsoft.graph.deviceAndAppManagementAssignmentFilter",
    readOnly: ["payloads"],
    assignmentsKey: null,
  },
  roleScopeTags: {
    ...intune,
    path: "/deviceManagement/roleScopeTags",
    pageSize: null,
    impliedType: "#microsoft.graph.roleScopeTag",
    readOnly: ["isBuiltIn", "permissions"],
    assignmentsKey: null,
  },
  deviceConfigurations: {
    ...named,
    path: "/deviceManagement/deviceConfigurations",
    parts: { omaSettings: { leaveOut: ["isEncrypted", "isReadOnly", "secretReferenceValueId"] } },
  },
  deviceCompliancePolicies: {
    ...named,
    path: "/deviceManagement/deviceCompliancePolicies",
    expand: "scheduledActionsForRule($expand=scheduledActionConfigurations)",
    parts: { scheduledActionsForRule: { leaveOut: ["id"], parts: actionParts } },
    writtenApart: { key: "scheduledActionsForRule", action: "actions", withCreate: true },
  },
  configurationPolicies: {
    ...intune,
    path: "/deviceManagement/configurationPolicies",
    // Smaller pages: each policy of a page is held until the settings of all of them are here.
    pageSize: 50,
    nameKey: "name",
    matchKey: [["name"], ["technologies"], ["templateReference", "templateId"]],
    impliedType: "#microsoft.graph.deviceManagementConfigurationPolicy",
    completedBy: { kind: "collection", key: "settings", query: "$top=100" },
    parts: { settings: { leaveOut: ["id", "settingDefinitions"] } },
    update: "PUT",
  },
  groupPolicyConfigurations: {
    ...intune,
    path: "/deviceManagement/groupPolicyConfigurations",
    pageSize: 20,
    matchKey: [["displayName"], ["policyConfigurationIngestionType"]],
    impliedType: "#microsoft.graph.groupPolicyConfiguration",
    completedBy: { kind: "definitionValues" },
    writtenApart: { key: "definitionValues", action: "definitions", withCreate: false },
  },
  deviceManagementScripts: {
    ...intune,
    path: "/deviceManagement/deviceManagementScripts",
    // A script may be as large as a page of other policies.
    pageSize: 20,
    impliedType: "#microsoft.graph.deviceManagementScript",
    completedBy: { kind: "whole" },
    assignmentsKey: "deviceManagementScriptAssignments",
  },
  conditionalAccessPolicies: {
    ...intune,
    version: "v1.0",
    path: "/identity/conditionalAccess/policies",
    pageSize: null,
    impliedType: "#microsoft.graph.conditionalAccessPolicy",
    readOnly: ["templateId", "deletedDateTime"],
    parts: { grantControls: { parts: { authenticationStrength: { keepOnly: ["id"] } } } },
    dropsNulls: true,
    mergedInto: ["conditions"],
    assignmentsKey: null,
  },
};

/** The path of a type's collection, from the root of the service. */
export function collectionPath(rule: PolicyRule): string {
  return `/${rule.version}${rule.path}`;
}

/** The same of one policy. */
export function policyPath(rule: PolicyRule, id: string): string {
  return `${collectionPath(rule)}/${encodeURIComponent(id)}`;
}
