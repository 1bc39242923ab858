import type { PolicyType } from "../policyTypes.ts";
import type { JsonObject, JsonValue } from "../port.ts";
import { normaliseDefinitionValues } from "./definitionValues.ts";
import { isJsonObject } from "./json.ts";
import { type PartRule, policyRules } from "./policyRules.ts";

// Handbook 4, "Strip before writing".
const readOnlyEverywhere = [
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
];

/**
 * A payload as it would be written, for comparing and for writing: without what only the provider sets, at any
 * depth, keys sorted. Normalising twice changes nothing; deleting and recreating a policy does not show in it.
 */
export function normalise(type: PolicyType, payload: JsonObject): JsonObject {
  const rule = policyRules[type];
  const own = { leaveOut: [...readOnlyEverywhere, ...rule.readOnly], parts: rule.parts };
  return writable(withDefinitions(type, payload), own, rule.dropsNulls);
}

/** An assignment as it would be written: to whom and how, without what says where it came from. */
export function normaliseAssignment(assignment: JsonObject): JsonObject {
  return writable(assignment, { leaveOut: ["id", "source", "sourceId"] }, false);
}

function withDefinitions(type: PolicyType, payload: JsonObject): JsonObject {
  if (type !== "groupPolicyConfigurations") return payload;
  return { ...payload, definitionValues: normaliseDefinitionValues(payload.definitionValues) };
}

function writable(object: JsonObject, rule: PartRule, dropsNulls: boolean): JsonObject {
  const kept = Object.entries(object).filter(
    ([key, value]) => isWritten(key, rule) && !(dropsNulls && value === null),
  );
  return Object.fromEntries(
    kept
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, writableValue(value, rule.parts?.[key] ?? {}, dropsNulls)]),
  );
}

function writableValue(value: JsonValue, rule: PartRule, dropsNulls: boolean): JsonValue {
  if (Array.isArray(value)) return value.map((item) => writableValue(item, rule, dropsNulls));
  return isJsonObject(value) ? writable(value, rule, dropsNulls) : value;
}

function isWritten(key: string, rule: PartRule): boolean {
  if (key.startsWith("#") || rule.leaveOut?.includes(key)) return false;
  if (rule.keepOnly !== undefined && !rule.keepOnly.includes(key)) return false;
  return !key.includes("@odata.") || key === "@odata.type" || key.endsWith("@odata.bind");
}
