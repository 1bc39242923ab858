import type { JsonObject } from "../../provider/port.ts";
import type { Group } from "./groups.ts";
import type { SeededRandom } from "./seededRandom.ts";

/** A Conditional Access policy; whom it is for depends on the groups that the directory has. */
export type ConditionalAccessTemplate = {
  name: string;
  conditions: JsonObject;
  /** Group names tried in turn; where the directory has none of them, it is for all users. */
  include?: readonly string[];
  grantControls?: JsonObject;
  sessionControls?: JsonObject;
};

const allApplications = applications("All");
const exchangeAndSharePoint = applications("Office365");
// Global administrator, security administrator, Intune administrator: the same in every directory.
const adminRoles = [
  "62e90394-69f5-4237-9190-012177145e10",
  "194ae4cb-b126-40b2-bd5b-6091b380977d",
  "3a2c62db-5318-420d-8d74-23affee5d9d5",
];
const emergencyAccess = "Emergency access accounts";

export const conditionalAccessTemplates: readonly [
  ConditionalAccessTemplate,
  ...ConditionalAccessTemplate[],
] = [
  {
    name: "CA001 – Require MFA for administrators",
    conditions: { applications: allApplications, users: { includeRoles: adminRoles } },
    grantControls: grant("mfa"),
  },
  {
    name: "CA002 – Block legacy authentication",
    conditions: { applications: allApplications, clientAppTypes: ["exchangeActiveSync", "other"] },
    grantControls: grant("block"),
  },
  {
    name: "CA003 – Require compliant device for Office 365",
    conditions: { applications: exchangeAndSharePoint },
    include: ["All staff", "Pilot devices"],
    grantControls: grant("compliantDevice", "domainJoinedDevice"),
  },
  {
    name: "CA004 – Block sign-in from unexpected places",
    conditions: {
      applications: allApplications,
      locations: { includeLocations: ["All"], excludeLocations: ["AllTrusted"] },
    },
    include: ["Contractors", "Frontline workers"],
    grantControls: grant("block"),
  },
  {
    name: "CA005 – Phishing-resistant MFA for executives",
    conditions: { applications: allApplications },
    include: ["Executives"],
    grantControls: { ...grant(), authenticationStrength: phishingResistant() },
  },
  {
    name: "CA006 – Sign in daily in the browser",
    conditions: { applications: allApplications, clientAppTypes: ["browser"] },
    sessionControls: {
      applicationEnforcedRestrictions: null,
      cloudAppSecurity: null,
      persistentBrowser: { mode: "never", isEnabled: true },
      signInFrequency: {
        value: 1,
        type: "days",
        authenticationType: "primaryAndSecondaryAuthentication",
        frequencyInterval: "timeBased",
        isEnabled: true,
      },
    },
  },
];

/** Everything of a Conditional Access policy but its id, name and dates. */
export function conditionalAccessPayload(
  random: SeededRandom,
  template: ConditionalAccessTemplate,
  groups: readonly Group[],
): JsonObject {
  const { users, ...conditions } = template.conditions;
  const included = idsOf(groups, template.include ?? []).slice(0, 1);
  const forEveryone = included.length === 0 && users === undefined;
  return {
    templateId: null,
    state: random.pick(["enabled", "enabled", "enabledForReportingButNotEnforced"]),
    sessionControls: template.sessionControls ?? null,
    conditions: {
      clientAppTypes: ["all"],
      signInRiskLevels: [],
      userRiskLevels: [],
      platforms: null,
      locations: null,
      devices: null,
      ...conditions,
      users: {
        includeUsers: forEveryone ? ["All"] : [],
        excludeUsers: [],
        includeGroups: included,
        excludeGroups: idsOf(groups, [emergencyAccess]),
        includeRoles: [],
        excludeRoles: [],
        ...(typeof users === "object" && !Array.isArray(users) ? users : {}),
      },
    },
    grantControls: template.grantControls ?? null,
  };
}

function idsOf(groups: readonly Group[], names: readonly string[]): string[] {
  return names.flatMap((name) => groups.find(({ displayName }) => displayName === name)?.id ?? []);
}

function applications(included: string): JsonObject {
  return {
    includeApplications: [included],
    excludeApplications: [],
    includeUserActions: [],
    includeAuthenticationContextClassReferences: [],
    applicationFilter: null,
  };
}

function grant(...builtInControls: string[]): JsonObject {
  return {
    operator: "OR",
    builtInControls,
    customAuthenticationFactors: [],
    termsOfUse: [],
    authenticationStrength: null,
  };
}

/** As Graph gives it: the whole object where its id would do. */
function phishingResistant(): JsonObject {
  return {
    id: "00000000-0000-0000-0000-000000000004",
    createdDateTime: "2021-12-01T00:00:00Z",
    modifiedDateTime: "2021-12-01T00:00:00Z",
    displayName: "Phishing-resistant MFA",
    description: "Phishing-resistant, passwordless methods for the strongest authentication.",
    policyType: "builtIn",
    requirementsSatisfied: "mfa",
    allowedCombinations: ["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"],
  };
}
