import type { PolicyType } from "../port.ts";

/** What differs between the policy types when they are read. */
export type PolicyRule = {
  path: string;
  query: string;
  /** The property that holds the name. */
  nameKey: "displayName" | "name";
  /** For collections of a single type Graph leaves `@odata.type` out; elsewhere it must be there. */
  impliedType: string | null;
  /** A sub-resource to be read for each policy and kept in the payload under this key. */
  completedBy: { key: string; query: string } | null;
};

// beta, because v1.0 leaves out settings and subtypes without saying so.
const root = "/beta/deviceManagement";

export const policyRules: Record<PolicyType, PolicyRule> = {
  deviceConfigurations: {
    path: `${root}/deviceConfigurations`,
    query: "$top=100",
    nameKey: "displayName",
    impliedType: null,
    completedBy: null,
  },
  deviceCompliancePolicies: {
    path: `${root}/deviceCompliancePolicies`,
    query: "$expand=scheduledActionsForRule($expand=scheduledActionConfigurations)&$top=100",
    nameKey: "displayName",
    impliedType: null,
    completedBy: null,
  },
  configurationPolicies: {
    path: `${root}/configurationPolicies`,
    // Smaller pages: each policy of a page is held until the settings of all of them are here.
    query: "$top=50",
    nameKey: "name",
    impliedType: "#microsoft.graph.deviceManagementConfigurationPolicy",
    completedBy: { key: "settings", query: "$top=100" },
  },
};
