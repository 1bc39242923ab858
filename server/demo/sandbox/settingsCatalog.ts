import type { JsonObject } from "../../provider/port.ts";
import type { SeededRandom } from "./seededRandom.ts";

type SettingTemplate = (random: SeededRandom) => JsonObject;

/** A settings catalog policy: a platform, and settings that each are an object of their own. */
export type CatalogTemplate = {
  name: string;
  platforms: string;
  technologies: string;
  family: string;
  settings: SettingTemplate[];
};

const defender = "device_vendor_msft_policy_config_defender";
const edge = "device_vendor_msft_policy_config_microsoft_edge~policy~microsoft_edge";
const lapsPrefix = "device_vendor_msft_laps_policies";
const firewall = "vendor_msft_firewall_mdmstore";

export const catalogTemplates: readonly [CatalogTemplate, ...CatalogTemplate[]] = [
  {
    name: "Windows 11 – Defender Antivirus",
    platforms: "windows10",
    technologies: "mdm,microsoftSense",
    family: "endpointSecurityAntivirus",
    settings: [
      choice(`${defender}_allowarchivescanning`, ["0", "1"]),
      choice(`${defender}_allowcloudprotection`, ["0", "1"]),
      choice(`${defender}_cloudblocklevel`, ["0", "2", "4", "6"]),
      integer(`${defender}_daystoretaincleanedmalware`, 90),
      strings(`${defender}_excludedextensions`, [".bak", ".vhdx", ".lock"]),
    ],
  },
  {
    name: "Windows 11 – Edge baseline",
    platforms: "windows10",
    technologies: "mdm",
    family: "none",
    settings: [
      choice(`${edge}_smartscreenenabled`, ["0", "1"]),
      choice(`${edge}_passwordmanagerenabled`, ["0", "1"]),
      text(`${edge}_homepagelocation`, ["https://intranet.example", "https://start.example"]),
    ],
  },
  {
    name: "Windows – LAPS",
    platforms: "windows10",
    technologies: "mdm",
    family: "endpointSecurityAccountProtection",
    settings: [
      choice(`${lapsPrefix}_backupdirectory`, ["1"], [integer(`${lapsPrefix}_passwordagedays_aad`, 30)]),
      integer(`${lapsPrefix}_passwordlength`, 20),
      choice(`${lapsPrefix}_passwordcomplexity`, ["3", "4"]),
    ],
  },
  {
    name: "Windows – Firewall rules",
    platforms: "windows10",
    technologies: "mdm,microsoftSense",
    family: "endpointSecurityFirewall",
    settings: [
      choice(`${firewall}_domainprofile_enablefirewall`, ["true"]),
      choice(`${firewall}_publicprofile_enablefirewall`, ["true"]),
      group(`${firewall}_firewallrules_{firewallrulename}`, [
        text(`${firewall}_firewallrules_{firewallrulename}_name`, ["Allow print server", "Block legacy SMB"]),
        choice(`${firewall}_firewallrules_{firewallrulename}_enabled`, ["0", "1"]),
      ]),
    ],
  },
  {
    name: "macOS – FileVault",
    platforms: "macOS",
    technologies: "mdm,appleRemoteManagement",
    family: "none",
    settings: [
      group("com.apple.mcx.filevault2_com.apple.mcx.filevault2", [
        choice("com.apple.mcx.filevault2_enable", ["0"]),
        choice("com.apple.mcx.filevault2_defer", ["true"]),
        integer("com.apple.mcx.filevault2_defermaxbypassattempts", 3),
      ]),
    ],
  },
  {
    name: "iOS – Software updates",
    platforms: "iOS",
    technologies: "mdm,appleRemoteManagement",
    family: "none",
    settings: [
      group("ddm-latestsoftwareupdate", [
        choice("ddm-latestsoftwareupdate_enforcelatestsoftwareupdateversion", ["0", "1"]),
        integer("ddm-latestsoftwareupdate_delayindays", 14),
        text("ddm-latestsoftwareupdate_installtime", ["02:00", "18:30"]),
      ]),
    ],
  },
];

/** Everything of a settings catalog policy but its id, name and dates. */
export function catalogPayload(random: SeededRandom, template: CatalogTemplate): JsonObject {
  const { platforms, technologies, family } = template;
  return {
    creationSource: null,
    description: "",
    platforms,
    technologies,
    priorityMetaData: null,
    roleScopeTagIds: ["0"],
    settingCount: template.settings.length,
    templateReference: {
      templateId: family === "none" ? "" : `${random.uuid()}_1`,
      templateFamily: family,
      templateDisplayName: family === "none" ? null : template.name,
      templateDisplayVersion: family === "none" ? null : "Version 1",
    },
    settings: template.settings.map((make, index) => ({ id: String(index), settingInstance: make(random) })),
  };
}

const graphType = (name: string): string => `#microsoft.graph.deviceManagementConfiguration${name}`;

function instance(kind: string, definition: string, value: JsonObject): JsonObject {
  return {
    "@odata.type": graphType(`${kind}Instance`),
    settingDefinitionId: definition,
    settingInstanceTemplateReference: null,
    ...value,
  };
}

function choice(
  definition: string,
  options: readonly [string, ...string[]],
  children: SettingTemplate[] = [],
): SettingTemplate {
  return (random) =>
    instance("ChoiceSetting", definition, {
      choiceSettingValue: {
        settingValueTemplateReference: null,
        value: `${definition}_${random.pick(options)}`,
        children: children.map((make) => make(random)),
      },
    });
}

function integer(definition: string, around: number): SettingTemplate {
  return (random) =>
    instance("SimpleSetting", definition, {
      simpleSettingValue: simpleValue("IntegerSettingValue", around + random.integer(around)),
    });
}

function text(definition: string, options: readonly [string, ...string[]]): SettingTemplate {
  return (random) =>
    instance("SimpleSetting", definition, {
      simpleSettingValue: simpleValue("StringSettingValue", random.pick(options)),
    });
}

function strings(definition: string, values: string[]): SettingTemplate {
  return () =>
    instance("SimpleSettingCollection", definition, {
      simpleSettingCollectionValue: values.map((value) => simpleValue("StringSettingValue", value)),
    });
}

function group(definition: string, children: SettingTemplate[]): SettingTemplate {
  return (random) =>
    instance("GroupSettingCollection", definition, {
      groupSettingCollectionValue: [
        { settingValueTemplateReference: null, children: children.map((make) => make(random)) },
      ],
    });
}

function simpleValue(kind: string, value: string | number): JsonObject {
  return { "@odata.type": graphType(kind), settingValueTemplateReference: null, value };
}
