/** In the order in which a restore takes them: what others refer to comes first. */
export const policyTypes = [
  "roleScopeTags",
  "assignmentFilters",
  "deviceConfigurations",
  "deviceCompliancePolicies",
  "configurationPolicies",
  "groupPolicyConfigurations",
  "deviceManagementScripts",
  "conditionalAccessPolicies",
] as const;

export type PolicyType = (typeof policyTypes)[number];

const configuration = "DeviceManagementConfiguration";
const scripts = "DeviceManagementScripts";

/** The permissions that reading or writing one policy type needs; a permission to write includes reading. */
export const rolesOf = {
  assignmentFilters: { read: [`${configuration}.Read.All`], write: [`${configuration}.ReadWrite.All`] },
  roleScopeTags: { read: [`${configuration}.Read.All`], write: [`${configuration}.ReadWrite.All`] },
  deviceConfigurations: { read: [`${configuration}.Read.All`], write: [`${configuration}.ReadWrite.All`] },
  deviceCompliancePolicies: {
    read: [`${configuration}.Read.All`],
    write: [`${configuration}.ReadWrite.All`],
  },
  configurationPolicies: { read: [`${configuration}.Read.All`], write: [`${configuration}.ReadWrite.All`] },
  groupPolicyConfigurations: {
    read: [`${configuration}.Read.All`],
    write: [`${configuration}.ReadWrite.All`],
  },
  deviceManagementScripts: { read: [`${scripts}.Read.All`], write: [`${scripts}.ReadWrite.All`] },
  conditionalAccessPolicies: {
    read: ["Policy.Read.All"],
    write: ["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"],
  },
} as const satisfies Record<PolicyType, { read: readonly string[]; write: readonly string[] }>;

/** What an admin calls a type; plural, in sentence case. */
export const typeLabels = {
  assignmentFilters: "Assignment filters",
  roleScopeTags: "Scope tags",
  deviceConfigurations: "Device configurations",
  deviceCompliancePolicies: "Compliance policies",
  configurationPolicies: "Settings catalog policies",
  groupPolicyConfigurations: "Administrative templates",
  deviceManagementScripts: "PowerShell scripts",
  conditionalAccessPolicies: "Conditional Access policies",
} as const satisfies Record<PolicyType, string>;

/** Whether the granted permissions let one of that name be used: the name itself or its writing form. */
export function isGranted(role: string, granted: readonly string[]): boolean {
  return granted.includes(role) || granted.includes(role.replace(/\.Read\./, ".ReadWrite."));
}
