import { isDeepStrictEqual } from "node:util";
import type { PolicyType } from "../policyTypes.ts";
import type { JsonObject, JsonValue, PolicyModel, PolicyWrite, ProviderPolicy } from "../port.ts";
import { definitionChanges } from "./definitionValues.ts";
import { isJsonObject } from "./json.ts";
import { normalise, normaliseAssignment } from "./normalise.ts";
import { type PolicyRule, policyRules } from "./policyRules.ts";

type Existing = { id: string; present: ProviderPolicy };

/**
 * The calls that bring about `desired`, in order and as few as will do: what is equal already is not written,
 * so that a secret which nobody could read back is not overwritten by the nothing it reads as.
 */
export const planWrites: PolicyModel["planWrites"] = (type, desired, assignments, of) => {
  const wanted = normalise(type, desired);
  const plan = of === null ? planCreation(type, wanted) : planUpdate(type, wanted, of);
  return assignments === null ? plan : [...plan, ...planAssignments(type, of?.id ?? null, assignments)];
};

function planCreation(type: PolicyType, desired: JsonObject): PolicyWrite[] {
  const { writtenApart } = policyRules[type];
  if (writtenApart === null || writtenApart.withCreate) {
    return [{ action: "create", type, id: null, body: desired }];
  }
  const shell: PolicyWrite = { action: "create", type, id: null, body: without(desired, writtenApart.key) };
  const body = definitionChanges(desired.definitionValues, [], []);
  return body === null ? [shell] : [shell, { action: "definitions", type, id: null, body }];
}

function planUpdate(type: PolicyType, desired: JsonObject, { id, present }: Existing): PolicyWrite[] {
  const rule = policyRules[type];
  const body = updateBody(rule, desired, present.normalised);
  const update: PolicyWrite[] = body === null ? [] : [{ action: "update", type, id, body }];
  const apart = writtenApartBody(rule, desired, present);
  if (rule.writtenApart === null || apart === null) return update;
  return [...update, { action: rule.writtenApart.action, type, id, body: apart }];
}

/** The whole object for PUT; for PATCH what differs, with the type it is of; null when nothing differs. */
function updateBody(rule: PolicyRule, desired: JsonObject, present: JsonObject): JsonObject | null {
  if (rule.update === "PUT") return isDeepStrictEqual(desired, present) ? null : desired;
  const target = rule.dropsNulls
    ? withClearings(desired, present, (key) => rule.mergedInto.includes(key))
    : desired;
  const changed = Object.entries(target).filter(
    ([key, value]) =>
      key !== "@odata.type" && key !== rule.writtenApart?.key && !isDeepStrictEqual(value, present[key]),
  );
  if (changed.length === 0) return null;
  const type = desired["@odata.type"];
  return { ...(type === undefined ? {} : { "@odata.type": type }), ...Object.fromEntries(changed) };
}

/** Where nulls are dropped, leaving a property out would leave it as it is: what is to go is written empty. */
function withClearings(
  desired: JsonObject,
  present: JsonObject,
  isMergedInto: (key: string) => boolean,
): JsonObject {
  const entries = Object.entries(present).map(([key, before]): [string, JsonValue] => {
    const after = desired[key];
    if (after === undefined) return [key, Array.isArray(before) ? [] : null];
    const merged = isMergedInto(key) && isJsonObject(after) && isJsonObject(before);
    return [key, merged ? withClearings(after, before, () => true) : after];
  });
  return { ...desired, ...Object.fromEntries(entries) };
}

/** What is written by an action of its own, when it differs: that action's body. */
function writtenApartBody(
  { writtenApart }: PolicyRule,
  desired: JsonObject,
  { normalised, payload }: ProviderPolicy,
): JsonObject | null {
  if (writtenApart === null) return null;
  const wanted = desired[writtenApart.key];
  const present = normalised[writtenApart.key];
  if (writtenApart.action === "definitions")
    return definitionChanges(wanted, present, payload[writtenApart.key]);
  if (wanted === undefined || isDeepStrictEqual(wanted, present)) return null;
  return { deviceComplianceScheduledActionForRules: wanted };
}

function planAssignments(type: PolicyType, id: string | null, assignments: JsonObject[]): PolicyWrite[] {
  const key = policyRules[type].assignmentsKey;
  // A policy that has just been created has none that an empty set would replace.
  if (key === null || (id === null && assignments.length === 0)) return [];
  return [{ action: "assign", type, id, body: { [key]: assignments.map(normaliseAssignment) } }];
}

function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _apart, ...rest } = object;
  return rest;
}
