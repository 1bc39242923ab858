import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import { administrativePayload, administrativeTemplates } from "./administrativeTemplates.ts";
import { complianceTemplates, scheduledActionsFor } from "./complianceTemplates.ts";
import { conditionalAccessPayload, conditionalAccessTemplates } from "./conditionalAccessTemplates.ts";
import { configurationTemplates } from "./configurationTemplates.ts";
import type { Group } from "./groups.ts";
import { scriptPayload, scriptTemplates } from "./scriptTemplates.ts";
import { makeSeededRandom, type SeededRandom } from "./seededRandom.ts";
import { catalogPayload, catalogTemplates } from "./settingsCatalog.ts";
import { filterPayload, filterTemplates, tagPayload, tagTemplates } from "./targetingTemplates.ts";

export type PoliciesByType = Record<PolicyType, JsonObject[]>;

/** A kind of policy: what an admin would call it, and the properties that only its type has. */
export type PolicyTemplate = {
  name: string;
  odataType: string;
  properties: (random: SeededRandom) => JsonObject;
};

const audiences = [
  "Pilot",
  "Broad",
  "Executives",
  "Frontline",
  "Contractors",
  "Shared devices",
  "Engineering",
  "Meeting rooms",
  "Warehouse",
  "Berlin office",
  "Call centre",
  "Test devices",
] as const;
const firstChange = Date.UTC(2023, 8, 4, 8);
const dayMs = 86_400_000;

/** How many policies of single types there are besides those that are counted over all. */
export type Extras = { [Type in PolicyType]?: number | undefined };

/**
 * `count` policies in all, over the three types that every directory has, and `extras` of any type. The same
 * seed gives the same policies, and a larger count adds to those of a smaller one within each type. What
 * belongs to a policy (settings, actions, values) is in it, though a listing leaves it out.
 */
export function generatePolicies(
  seed: string,
  count: number,
  extras: Extras = {},
  groups: readonly Group[] = [],
): PoliciesByType {
  const counts = countsByType(count);
  const generate = (type: PolicyType): JsonObject[] =>
    Array.from({ length: counts[type] + (extras[type] ?? 0) }, (_, index) =>
      generatePolicy(seed, type, index, groups),
    );
  return byType(generate);
}

/** How many policies of each type a directory with `count` policies has: the mix of one looked after for years. */
export function countsByType(count: number): Record<PolicyType, number> {
  const deviceConfigurations = Math.floor(count * 0.4);
  const deviceCompliancePolicies = Math.floor(count * 0.2);
  const configurationPolicies = count - deviceConfigurations - deviceCompliancePolicies;
  const none = byType(() => 0);
  return { ...none, deviceConfigurations, deviceCompliancePolicies, configurationPolicies };
}

/** The same made for each type. */
export function byType<Made>(make: (type: PolicyType) => Made): Record<PolicyType, Made> {
  return {
    assignmentFilters: make("assignmentFilters"),
    roleScopeTags: make("roleScopeTags"),
    deviceConfigurations: make("deviceConfigurations"),
    deviceCompliancePolicies: make("deviceCompliancePolicies"),
    configurationPolicies: make("configurationPolicies"),
    groupPolicyConfigurations: make("groupPolicyConfigurations"),
    deviceManagementScripts: make("deviceManagementScripts"),
    conditionalAccessPolicies: make("conditionalAccessPolicies"),
  };
}

/** The policy at one place of a type's list, as Graph would give it. */
export function generatePolicy(
  seed: string,
  type: PolicyType,
  index: number,
  groups: readonly Group[] = [],
): JsonObject {
  const random = makeSeededRandom(`${seed}/${type}/${index}`);
  switch (type) {
    case "deviceConfigurations":
      return classicPayload(random, configurationTemplates, index, {});
    case "deviceCompliancePolicies":
      return classicPayload(random, complianceTemplates, index, scheduledActionsFor(random));
    case "configurationPolicies": {
      const { template, name } = templateAt(catalogTemplates, index);
      return { id: random.uuid(), name, ...changeDates(random), ...catalogPayload(random, template) };
    }
    case "assignmentFilters": {
      const { template, displayName, id, dates } = begun(random, filterTemplates, index);
      return { id, ...dates, displayName, ...filterPayload(template) };
    }
    case "roleScopeTags": {
      // Numbers; 0 is the built-in tag.
      const { name } = templateAt(tagTemplates, index);
      return { id: String(index + 1), displayName: name, ...tagPayload() };
    }
    case "groupPolicyConfigurations": {
      const { template, displayName, id, dates } = begun(random, administrativeTemplates, index);
      return { id, ...dates, displayName, ...administrativePayload(random, template, dates) };
    }
    case "deviceManagementScripts": {
      const { template, displayName, id, dates } = begun(random, scriptTemplates, index);
      return { id, ...dates, displayName, ...scriptPayload(random, template) };
    }
    case "conditionalAccessPolicies": {
      const { template, displayName, id, dates } = begun(random, conditionalAccessTemplates, index);
      const { createdDateTime, lastModifiedDateTime: modifiedDateTime } = dates;
      const payload = conditionalAccessPayload(random, template, groups);
      return { id, createdDateTime, modifiedDateTime, displayName, ...payload };
    }
  }
}

/** What the newer types begin with. */
function begun<Template extends { name: string }>(
  random: SeededRandom,
  templates: readonly [Template, ...Template[]],
  index: number,
) {
  const { template, name: displayName } = templateAt(templates, index);
  return { template, displayName, id: random.uuid(), dates: changeDates(random) };
}

function classicPayload(
  random: SeededRandom,
  templates: readonly [PolicyTemplate, ...PolicyTemplate[]],
  index: number,
  extra: JsonObject,
): JsonObject {
  const { template, name } = templateAt(templates, index);
  return {
    "@odata.type": template.odataType,
    id: random.uuid(),
    ...changeDates(random),
    roleScopeTagIds: ["0"],
    description: random.chance(0.5) ? `Owned by the endpoint team. ${name}.` : null,
    displayName: name,
    version: 1 + random.integer(14),
    ...template.properties(random),
    ...extra,
  };
}

/** Templates in turn; once all are used, again for one audience after the other, so that names stay unique. */
function templateAt<Template extends { name: string }>(
  templates: readonly [Template, ...Template[]],
  index: number,
): { template: Template; name: string } {
  const template = templates[index % templates.length] ?? templates[0];
  const round = Math.floor(index / templates.length);
  if (round === 0) return { template, name: template.name };
  const audience = audiences[(round - 1) % audiences.length] ?? audiences[0];
  const repeat = Math.floor((round - 1) / audiences.length);
  return { template, name: `${template.name} – ${audience}${repeat === 0 ? "" : ` ${repeat + 1}`}` };
}

function changeDates(random: SeededRandom): { createdDateTime: string; lastModifiedDateTime: string } {
  const created = firstChange + random.integer(500) * dayMs + random.integer(dayMs);
  const modified = created + random.integer(300) * dayMs + random.integer(dayMs / 4);
  return {
    createdDateTime: new Date(created).toISOString(),
    lastModifiedDateTime: new Date(modified).toISOString(),
  };
}

/** Narrows a path segment to a policy type. */
export function isPolicyType(value: string): value is PolicyType {
  return policyTypes.some((type) => type === value);
}
