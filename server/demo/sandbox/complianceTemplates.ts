import type { JsonObject } from "../../provider/port.ts";
import type { PolicyTemplate } from "./policies.ts";
import type { SeededRandom } from "./seededRandom.ts";

/** Compliance policies: what a device must satisfy to count as healthy. */
export const complianceTemplates: readonly [PolicyTemplate, ...PolicyTemplate[]] = [
  {
    name: "Windows 11 – Compliance",
    odataType: "#microsoft.graph.windows10CompliancePolicy",
    properties: (random) => ({
      passwordRequired: true,
      passwordBlockSimple: true,
      passwordMinimumLength: 8 + random.integer(5),
      passwordRequiredType: random.pick(["alphanumeric", "deviceDefault"]),
      osMinimumVersion: `10.0.${random.pick([22631, 26100])}.${random.integer(4000)}`,
      osMaximumVersion: null,
      bitLockerEnabled: true,
      secureBootEnabled: true,
      codeIntegrityEnabled: random.chance(0.6),
      tpmRequired: true,
      deviceThreatProtectionEnabled: random.chance(0.5),
      deviceThreatProtectionRequiredSecurityLevel: random.pick(["low", "medium"]),
      validOperatingSystemBuildRanges: [],
    }),
  },
  {
    name: "iOS – Compliance",
    odataType: "#microsoft.graph.iosCompliancePolicy",
    properties: (random) => ({
      passcodeRequired: true,
      passcodeBlockSimple: true,
      passcodeMinimumLength: 6 + random.integer(3),
      securityBlockJailbrokenDevices: true,
      osMinimumVersion: `${random.pick([16, 17, 18])}.${random.integer(6)}`,
      managedEmailProfileRequired: false,
      restrictedApps: [],
    }),
  },
  {
    name: "Android – Work profile compliance",
    odataType: "#microsoft.graph.androidWorkProfileCompliancePolicy",
    properties: (random) => ({
      passwordRequired: true,
      passwordMinimumLength: 6 + random.integer(3),
      securityBlockJailbrokenDevices: true,
      securityRequireSafetyNetAttestationBasicIntegrity: true,
      storageRequireEncryption: true,
      minAndroidSecurityPatchLevel: `2025-${random.pick(["03", "06", "09"])}-01`,
      osMinimumVersion: random.pick(["13.0", "14.0"]),
    }),
  },
  {
    name: "macOS – Compliance",
    odataType: "#microsoft.graph.macOSCompliancePolicy",
    properties: (random) => ({
      passwordRequired: true,
      passwordMinimumLength: 8 + random.integer(5),
      storageRequireEncryption: true,
      firewallEnabled: true,
      firewallEnableStealthMode: random.chance(0.5),
      gatekeeperAllowedAppSource: "macAppStoreAndIdentifiedDevelopers",
      systemIntegrityProtectionEnabled: true,
      osMinimumVersion: random.pick(["14.0", "14.6", "15.0"]),
    }),
  },
  {
    name: "Android – Fully managed compliance",
    odataType: "#microsoft.graph.androidDeviceOwnerCompliancePolicy",
    properties: (random) => ({
      passwordRequired: true,
      passwordMinimumLength: 6 + random.integer(4),
      passwordRequiredType: "numericComplex",
      storageRequireEncryption: true,
      securityRequireIntuneAppIntegrity: random.chance(0.7),
      requireNoPendingSystemUpdates: null,
    }),
  },
];

/** What happens to a device that does not comply: always a block, often a mail some hours earlier. */
export function scheduledActionsFor(random: SeededRandom): JsonObject {
  const block = action(random, "block", random.pick([0, 24, 72]));
  const actions = random.chance(0.6) ? [action(random, "notification", 0), block] : [block];
  return {
    scheduledActionsForRule: [
      { id: random.uuid(), ruleName: "PasswordRequired", scheduledActionConfigurations: actions },
    ],
  };
}

function action(random: SeededRandom, actionType: string, gracePeriodHours: number): JsonObject {
  return {
    id: random.uuid(),
    gracePeriodHours,
    actionType,
    notificationTemplateId:
      actionType === "notification" ? random.uuid() : "00000000-0000-0000-0000-000000000000",
    notificationMessageCCList: [],
  };
}
