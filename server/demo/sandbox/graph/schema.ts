import { type PolicyType, policyTypes } from "../../../provider/policyTypes.ts";
import type { JsonObject } from "../../../provider/port.ts";
import { generatePolicy } from "../policies.ts";
import { resources } from "./resources.ts";

/** What the provider sets itself and refuses to be told. */
export const readOnlyProperties: readonly string[] = [
  "id",
  "createdDateTime",
  "lastModifiedDateTime",
  "modifiedDateTime",
  "version",
  "supportsScopeTags",
  "isAssigned",
  "assignments",
  "settingCount",
  "creationSource",
  "templateId",
  "isBuiltIn",
  "permissions",
];

/**
 * Which properties an object of a type may have. The hundred and more subtypes are not written down: each is
 * known by the properties that policies of it have had.
 */
export type Schema = {
  knows(type: PolicyType, odataType: string, property: string): boolean;
  /** Takes note of the properties of a policy that exists. */
  learn(type: PolicyType, policy: JsonObject): void;
};

/** Knows the subtypes that the sandbox generates policies of. */
export function makeSchema(): Schema {
  const learned = new Map<string, Set<string>>();
  const schema: Schema = {
    knows: (type, odataType, property) =>
      resources[type].properties.includes(property) || learned.get(odataType)?.has(property) === true,
    learn(type, policy) {
      const odataType = odataTypeOf(type, policy);
      const properties = learned.get(odataType) ?? new Set();
      learned.set(odataType, properties);
      for (const property of Object.keys(policy)) {
        const isPart = property in resources[type].parts;
        if (isPart || isAnnotation(property) || readOnlyProperties.includes(property)) continue;
        properties.add(property);
      }
    },
  };
  for (const type of policyTypes)
    for (let index = 0; index < 12; index += 1) schema.learn(type, generatePolicy("schema", type, index));
  return schema;
}

/** An object's own type: as it says, or as its collection implies. Empty when nothing tells. */
export function odataTypeOf(type: PolicyType, policy: JsonObject): string {
  const own = policy["@odata.type"];
  return typeof own === "string" ? own : (resources[type].odataType ?? "");
}

/** What is about a property or an action and not a property itself. */
export function isAnnotation(key: string): boolean {
  return key.startsWith("#") || key.includes("@odata.");
}
