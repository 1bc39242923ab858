import type { JsonObject } from "../../provider/port.ts";
import type { PolicyTemplate } from "./policies.ts";
import type { SeededRandom } from "./seededRandom.ts";

const windowsApplicability: JsonObject = {
  supportsScopeTags: true,
  deviceManagementApplicabilityRuleOsEdition: null,
  deviceManagementApplicabilityRuleOsVersion: null,
  deviceManagementApplicabilityRuleDeviceMode: null,
};

/** Device configuration profiles, the older kind: one type each, flat properties. */
export const configurationTemplates: readonly [PolicyTemplate, ...PolicyTemplate[]] = [
  {
    name: "Windows 11 – BitLocker",
    odataType: "#microsoft.graph.windows10EndpointProtectionConfiguration",
    properties: (random) => ({ ...windowsApplicability, ...bitLocker(random) }),
  },
  {
    name: "iOS – Passcode baseline",
    odataType: "#microsoft.graph.iosGeneralDeviceConfiguration",
    properties: (random) => ({
      passcodeRequired: true,
      passcodeBlockSimple: true,
      passcodeRequiredType: random.pick(["numeric", "alphanumeric"]),
      passcodeMinimumLength: 6 + random.integer(3),
      passcodeMinutesOfInactivityBeforeLock: random.pick([1, 5, 15]),
      passcodeSignInFailureCountBeforeWipe: 10,
      passcodePreviousPasscodeBlockCount: random.integer(6),
      iCloudBlockBackup: random.chance(0.4),
      screenCaptureBlocked: random.chance(0.2),
      compliantAppsList: [],
    }),
  },
  {
    name: "Windows – Update ring",
    odataType: "#microsoft.graph.windowsUpdateForBusinessConfiguration",
    properties: (random) => ({ ...windowsApplicability, ...updateRing(random) }),
  },
  {
    name: "macOS – Device restrictions",
    odataType: "#microsoft.graph.macOSGeneralDeviceConfiguration",
    properties: (random) => ({
      supportsScopeTags: true,
      passwordRequired: true,
      passwordMinimumLength: 8 + random.integer(7),
      passwordMinutesOfInactivityBeforeScreenTimeout: random.pick([5, 10, 15]),
      iCloudBlockDocumentSync: random.chance(0.5),
      airDropBlocked: random.chance(0.3),
      softwareUpdatesEnforcedDelayInDays: random.pick([null, 7, 14, 30]),
    }),
  },
  {
    name: "Windows 11 – Device restrictions",
    odataType: "#microsoft.graph.windows10GeneralConfiguration",
    properties: (random) => ({ ...windowsApplicability, ...windowsRestrictions(random) }),
  },
  {
    name: "Android – Work profile restrictions",
    odataType: "#microsoft.graph.androidWorkProfileGeneralDeviceConfiguration",
    properties: (random) => ({
      workProfileDataSharingType: random.pick(["preventAny", "allowPersonalToWork"]),
      workProfileBlockNotificationsWhileDeviceLocked: random.chance(0.6),
      workProfilePasswordMinimumLength: 6 + random.integer(4),
      workProfilePasswordRequiredType: random.pick(["numericComplex", "atLeastAlphanumeric"]),
      workProfileBlockScreenCapture: random.chance(0.5),
    }),
  },
  {
    name: "Windows – Custom OMA-URI",
    odataType: "#microsoft.graph.windows10CustomConfiguration",
    properties: (random) => ({ ...windowsApplicability, omaSettings: [omaSetting(random)] }),
  },
  {
    name: "Android – Fully managed baseline",
    odataType: "#microsoft.graph.androidDeviceOwnerGeneralDeviceConfiguration",
    properties: (random) => ({
      factoryResetBlocked: true,
      passwordMinimumLength: 6 + random.integer(4),
      passwordRequiredType: random.pick(["numericComplex", "alphanumeric"]),
      usersBlockAdd: true,
      systemUpdateInstallType: random.pick(["automatic", "postpone", "windowed"]),
      wifiBlockEditConfigurations: random.chance(0.5),
    }),
  },
  {
    name: "Windows – Endpoint analytics",
    odataType: "#microsoft.graph.windowsHealthMonitoringConfiguration",
    properties: (random) => ({
      ...windowsApplicability,
      allowDeviceHealthMonitoring: "enabled",
      configDeviceHealthMonitoringScope: random.pick(["bootPerformance", "bootPerformance,windowsUpdates"]),
      configDeviceHealthMonitoringCustomScope: null,
    }),
  },
];

function bitLocker(random: SeededRandom): JsonObject {
  return {
    bitLockerEncryptDevice: true,
    bitLockerAllowStandardUserEncryption: random.chance(0.7),
    bitLockerDisableWarningForOtherDiskEncryption: true,
    bitLockerRecoveryPasswordRotation: random.pick(["notConfigured", "enabledForAzureAd"]),
    bitLockerSystemDrivePolicy: {
      encryptionMethod: random.pick(["xtsAes128", "xtsAes256"]),
      startupAuthenticationRequired: true,
      startupAuthenticationTpmUsage: "required",
      minimumPinLength: random.pick([null, 6, 8]),
      recoveryOptions: {
        blockDataRecoveryAgent: true,
        recoveryPasswordUsage: "allowed",
        hideRecoveryOptions: true,
      },
    },
    firewallProfileDomain: { firewallEnabled: "allowed", stealthModeRequired: true },
  };
}

function updateRing(random: SeededRandom): JsonObject {
  return {
    businessReadyUpdatesOnly: "businessReadyOnly",
    automaticUpdateMode: random.pick(["autoInstallAtMaintenanceTime", "windowsDefault"]),
    qualityUpdatesDeferralPeriodInDays: random.integer(15),
    featureUpdatesDeferralPeriodInDays: random.pick([0, 30, 60, 120]),
    qualityUpdatesPaused: random.chance(0.1),
    deadlineForQualityUpdatesInDays: 2 + random.integer(6),
    deadlineGracePeriodInDays: 1 + random.integer(3),
    installationSchedule: {
      "@odata.type": "#microsoft.graph.windowsUpdateActiveHoursInstall",
      activeHoursStart: "08:00:00.0000000",
      activeHoursEnd: random.pick(["17:00:00.0000000", "18:00:00.0000000"]),
    },
  };
}

function windowsRestrictions(random: SeededRandom): JsonObject {
  return {
    passwordRequired: true,
    passwordMinimumLength: 8 + random.integer(7),
    passwordMinutesOfInactivityBeforeScreenTimeout: random.pick([5, 10, 15]),
    storageBlockRemovableStorage: random.chance(0.3),
    cortanaBlocked: true,
    smartScreenBlockPromptOverride: true,
    diagnosticsDataSubmissionMode: random.pick(["basic", "none"]),
    startMenuAppListVisibility: "userDefined",
    edgeCookiePolicy: random.pick(["allow", "blockThirdParty"]),
  };
}

function omaSetting(random: SeededRandom): JsonObject {
  return {
    "@odata.type": "#microsoft.graph.omaSettingInteger",
    displayName: "Interactive logon: machine inactivity limit",
    description: null,
    omaUri:
      "./Device/Vendor/MSFT/Policy/Config/LocalPoliciesSecurityOptions/InteractiveLogon_MachineInactivityLimit",
    secretReferenceValueId: null,
    isEncrypted: false,
    value: random.pick([300, 600, 900]),
  };
}
