import { type JsonObject, type PolicyType, policyTypes } from "../../provider/port.ts";
import { complianceTemplates, scheduledActionsFor } from "./complianceTemplates.ts";
import { configurationTemplates } from "./configurationTemplates.ts";
import { makeSeededRandom, type SeededRandom } from "./seededRandom.ts";
import { catalogPayload, catalogTemplates } from "./settingsCatalog.ts";

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
// The mix of a directory that has been looked after for some years.
const sharePercent: Record<PolicyType, number> = {
  deviceConfigurations: 40,
  deviceCompliancePolicies: 20,
  configurationPolicies: 40,
};
const firstChange = Date.UTC(2023, 8, 4, 8);
const dayMs = 86_400_000;

/**
 * `count` policies in all, over the three types. The same seed gives the same policies, and a larger count
 * adds to those of a smaller one within each type. Settings of a settings catalog policy are in its
 * `settings`, which a listing leaves out.
 */
export function generatePolicies(seed: string, count: number): PoliciesByType {
  const counts = countsByType(count);
  const generate = (type: PolicyType): JsonObject[] =>
    Array.from({ length: counts[type] }, (_, index) => generatePolicy(seed, type, index));
  return {
    deviceConfigurations: generate("deviceConfigurations"),
    deviceCompliancePolicies: generate("deviceCompliancePolicies"),
    configurationPolicies: generate("configurationPolicies"),
  };
}

/** How many policies of each type a directory with `count` policies has. */
export function countsByType(count: number): Record<PolicyType, number> {
  const deviceConfigurations = Math.floor((count * sharePercent.deviceConfigurations) / 100);
  const deviceCompliancePolicies = Math.floor((count * sharePercent.deviceCompliancePolicies) / 100);
  const configurationPolicies = count - deviceConfigurations - deviceCompliancePolicies;
  return { deviceConfigurations, deviceCompliancePolicies, configurationPolicies };
}

/** The policy at one place of a type's list, as Graph would give it. */
export function generatePolicy(seed: string, type: PolicyType, index: number): JsonObject {
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
  }
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
