import { type PolicyType, policyTypes } from "../../../provider/policyTypes.ts";
import type { ErrorForm } from "../answers.ts";

/** How one policy type behaves at Graph. */
export type Resource = {
  path: string;
  form: ErrorForm;
  nameKey: "displayName" | "name";
  /** Null where each object names its own type. */
  odataType: string | null;
  /** What may be written, besides what the object's own type adds. */
  properties: readonly string[];
  /** What a new object cannot be without, besides its name. */
  required: readonly string[];
  /** What belongs to an object and is not shown with it unless asked for; `writtenBy` says how it is set. */
  parts: Readonly<Record<string, { writtenBy: readonly string[] }>>;
  modifiedKey: "lastModifiedDateTime" | "modifiedDateTime" | null;
  hasVersion: boolean;
  /** The key under which `assign` expects the assignments; null where there is no such action. */
  assignKey: "assignments" | "deviceManagementScriptAssignments" | null;
  updateStatus: 200 | 204;
};

const root = "/beta/deviceManagement";

const usual = {
  form: "intune",
  nameKey: "displayName",
  required: [],
  parts: {},
  modifiedKey: "lastModifiedDateTime",
  hasVersion: false,
  assignKey: "assignments",
  updateStatus: 200,
} as const;

const named = ["displayName", "description", "roleScopeTagIds"];

export const resources: Record<PolicyType, Resource> = {
  assignmentFilters: {
    ...usual,
    path: `${root}/assignmentFilters`,
    odataType: "#microsoft.graph.deviceAndAppManagementAssignmentFilter",
    properties: [
      "displayName",
      "description",
      "platform",
      "rule",
      "roleScopeTags",
      "assignmentFilterManagementType",
    ],
    required: ["platform", "rule"],
    assignKey: null,
  },
  roleScopeTags: {
    ...usual,
    path: `${root}/roleScopeTags`,
    odataType: "#microsoft.graph.roleScopeTag",
    properties: ["displayName", "description"],
    modifiedKey: null,
    assignKey: null,
  },
  deviceConfigurations: {
    ...usual,
    path: `${root}/deviceConfigurations`,
    odataType: null,
    properties: [
      ...named,
      "deviceManagementApplicabilityRuleOsEdition",
      "deviceManagementApplicabilityRuleOsVersion",
      "deviceManagementApplicabilityRuleDeviceMode",
    ],
    hasVersion: true,
  },
  deviceCompliancePolicies: {
    ...usual,
    path: `${root}/deviceCompliancePolicies`,
    odataType: null,
    properties: named,
    required: ["scheduledActionsForRule"],
    parts: { scheduledActionsForRule: { writtenBy: ["POST"] } },
    hasVersion: true,
  },
  configurationPolicies: {
    ...usual,
    path: `${root}/configurationPolicies`,
    nameKey: "name",
    odataType: "#microsoft.graph.deviceManagementConfigurationPolicy",
    properties: [
      "name",
      "description",
      "roleScopeTagIds",
      "platforms",
      "technologies",
      "templateReference",
      "priorityMetaData",
    ],
    required: ["platforms", "technologies", "settings"],
    parts: { settings: { writtenBy: ["POST", "PUT"] } },
  },
  groupPolicyConfigurations: {
    ...usual,
    path: `${root}/groupPolicyConfigurations`,
    odataType: "#microsoft.graph.groupPolicyConfiguration",
    properties: [...named, "policyConfigurationIngestionType"],
    parts: { definitionValues: { writtenBy: [] } },
  },
  deviceManagementScripts: {
    ...usual,
    path: `${root}/deviceManagementScripts`,
    odataType: "#microsoft.graph.deviceManagementScript",
    properties: [
      ...named,
      "scriptContent",
      "runAsAccount",
      "enforceSignatureCheck",
      "fileName",
      "runAs32Bit",
    ],
    required: ["scriptContent", "fileName"],
    assignKey: "deviceManagementScriptAssignments",
  },
  conditionalAccessPolicies: {
    ...usual,
    path: "/v1.0/identity/conditionalAccess/policies",
    form: "graph",
    odataType: "#microsoft.graph.conditionalAccessPolicy",
    properties: ["displayName", "state", "conditions", "grantControls", "sessionControls"],
    required: ["state", "conditions"],
    modifiedKey: "modifiedDateTime",
    assignKey: null,
    updateStatus: 204,
  },
};

/** The type whose collection a path is in, and what follows the collection. */
export function findResource(path: string): { type: PolicyType; rest: string[] } | undefined {
  for (const type of policyTypes) {
    const collection = resources[type].path;
    if (path === collection) return { type, rest: [] };
    if (!path.startsWith(`${collection}/`)) continue;
    return {
      type,
      rest: path
        .slice(collection.length + 1)
        .split("/")
        .map(decodeURIComponent),
    };
  }
  return undefined;
}
