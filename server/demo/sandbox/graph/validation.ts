import type { PolicyType } from "../../../provider/policyTypes.ts";
import type { JsonObject, JsonValue } from "../../../provider/port.ts";
import { type Refusal, refused } from "../answers.ts";
import { refusalOfConditionalAccess } from "./conditionalAccess.ts";
import { resources } from "./resources.ts";
import { isAnnotation, odataTypeOf, readOnlyProperties, type Schema } from "./schema.ts";

export type WritingMethod = "POST" | "PATCH" | "PUT";

/**
 * Why Graph would refuse a policy as the body of a POST, PATCH or PUT; null when it would not. `present` is
 * the object that is there already.
 */
export function refusalOfPolicy(
  schema: Schema,
  type: PolicyType,
  method: WritingMethod,
  body: JsonObject,
  present?: JsonObject,
): Refusal | null {
  const reason =
    reasonOfAnnotations(body) ??
    reasonOfReadOnly(body) ??
    reasonOfType(type, body, present) ??
    reasonOfUnknown(schema, type, body) ??
    reasonOfParts(type, method, body) ??
    reasonOfMissing(type, method, body);
  if (reason !== null) return badRequest(type, reason);
  if (type !== "conditionalAccessPolicies") return null;
  const refusal = refusalOfConditionalAccess(method, body);
  return refusal === null ? null : badRequest(type, refusal);
}

export function badRequest(type: PolicyType, reason: string): Refusal {
  return refused(resources[type].form, 400, "BadRequest", reason);
}

/** Annotations say what something is or how to reach it; of them only an object's own type can be sent. */
export function reasonOfAnnotations(value: JsonValue): string | null {
  if (Array.isArray(value)) return firstReason(value, reasonOfAnnotations);
  if (typeof value !== "object" || value === null) return null;
  return firstReason(Object.entries(value), ([key, inner]) => {
    const isAllowed = key === "@odata.type" || key.endsWith("@odata.bind") || !isAnnotation(key);
    return isAllowed
      ? reasonOfAnnotations(inner)
      : `The annotation '${key}' was found, which is not allowed in a request.`;
  });
}

function firstReason<Item>(items: Item[], reasonOf: (item: Item) => string | null): string | null {
  for (const item of items) {
    const reason = reasonOf(item);
    if (reason !== null) return reason;
  }
  return null;
}

function reasonOfReadOnly(body: JsonObject): string | null {
  const found = Object.keys(body).find((key) => readOnlyProperties.includes(key));
  return found === undefined ? null : `The property '${found}' is read-only and cannot be set.`;
}

function reasonOfType(type: PolicyType, body: JsonObject, present: JsonObject | undefined): string | null {
  const odataType = odataTypeOf(type, body);
  if (odataType === "") return "The entity type is abstract: '@odata.type' must be given.";
  const expected = present === undefined ? resources[type].odataType : odataTypeOf(type, present);
  if (expected === null || odataType === expected) return null;
  return `The type '${odataType}' is not the expected '${expected}'.`;
}

function reasonOfUnknown(schema: Schema, type: PolicyType, body: JsonObject): string | null {
  const odataType = odataTypeOf(type, body);
  const found = Object.keys(body).find(
    (key) => !isAnnotation(key) && !(key in resources[type].parts) && !schema.knows(type, odataType, key),
  );
  if (found === undefined) return null;
  return `The property '${found}' does not exist on type '${odataType.slice(1)}'. Make sure to only use property names that are defined by the type.`;
}

function reasonOfParts(type: PolicyType, method: WritingMethod, body: JsonObject): string | null {
  const parts = Object.entries(resources[type].parts);
  const [found] = parts.find(([key, { writtenBy }]) => key in body && !writtenBy.includes(method)) ?? [];
  return found === undefined ? null : `The navigation property '${found}' cannot be written by ${method}.`;
}

function reasonOfMissing(type: PolicyType, method: WritingMethod, body: JsonObject): string | null {
  const { nameKey, required } = resources[type];
  const name = body[nameKey];
  const isPartial = method === "PATCH";
  if (!(isPartial && name === undefined) && (typeof name !== "string" || name.trim() === ""))
    return `The property '${nameKey}' must not be empty.`;
  const missing = isPartial ? undefined : required.find((key) => (body[key] ?? null) === null);
  return missing === undefined ? null : `The property '${missing}' is required.`;
}
