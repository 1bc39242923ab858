import { isDeepStrictEqual } from "node:util";
import type { JsonObject, JsonValue } from "../port.ts";
import { isJsonObject, objectsIn } from "./json.ts";

const definitionBind = "definition@odata.bind";
const presentationBind = "presentation@odata.bind";
const readOnly = ["id", "createdDateTime", "lastModifiedDateTime"];

/**
 * The definition values of an administrative template as they would be written: what each is of is named by
 * reference, relative to the service, so that they are equal at every address; in a fixed order, since a
 * template is a set of them.
 */
export function normaliseDefinitionValues(values: JsonValue | undefined): JsonObject[] {
  const normalised = objectsIn(values).map((value) => {
    const { definition: _definition, presentationValues, ...own } = value;
    const reference = definitionReference(value);
    return {
      ...without(own, readOnly),
      [definitionBind]: reference,
      presentationValues: normalisePresentations(presentationValues, reference),
    };
  });
  return sortedBy(definitionBind, normalised);
}

/**
 * The body of `updateDefinitionValues` that turns the present values into the desired ones, both normalised;
 * null when they are the same. `given` are the present ones as the provider gave them: they have the ids.
 */
export function definitionChanges(
  desired: JsonValue | undefined,
  present: JsonValue | undefined,
  given: JsonValue | undefined,
): JsonObject | null {
  const presentBy = keyedBy(definitionBind, objectsIn(present));
  const givenBy = new Map(objectsIn(given).map((value) => [definitionReference(value), value]));
  const desiredBy = keyedBy(definitionBind, objectsIn(desired));

  const added = [...desiredBy].flatMap(([reference, value]) => (presentBy.has(reference) ? [] : [value]));
  const updated = [...desiredBy].flatMap(([reference, value]) => {
    const before = presentBy.get(reference);
    if (before === undefined || isDeepStrictEqual(before, value)) return [];
    return [withIds(value, givenBy.get(reference) ?? {})];
  });
  const deletedIds = [...givenBy].flatMap(([reference, { id }]) =>
    desiredBy.has(reference) || id === undefined ? [] : [id],
  );
  return added.length + updated.length + deletedIds.length === 0 ? null : { added, updated, deletedIds };
}

function normalisePresentations(values: JsonValue | undefined, definition: string): JsonObject[] {
  const normalised = objectsIn(values).map((value) => {
    const { presentation: _presentation, ...own } = value;
    return { ...without(own, readOnly), [presentationBind]: presentationReference(value, definition) };
  });
  return sortedBy(presentationBind, normalised);
}

/** The value with the ids of what it replaces: the action finds by them what it is to update. */
function withIds(desired: JsonObject, given: JsonObject): JsonObject {
  const definition = String(desired[definitionBind]);
  const idBy = new Map(
    objectsIn(given.presentationValues).map((value) => [presentationReference(value, definition), value.id]),
  );
  const presentationValues = objectsIn(desired.presentationValues).map((value) => ({
    ...value,
    ...withId(idBy.get(String(value[presentationBind]))),
  }));
  return { ...desired, ...withId(given.id), presentationValues };
}

function withId(id: JsonValue | undefined): JsonObject {
  return id === undefined ? {} : { id };
}

function definitionReference({ definition, [definitionBind]: bound }: JsonObject): string {
  return referenceTo(definition, bound, "/deviceManagement/groupPolicyDefinitions");
}

function presentationReference(
  { presentation, [presentationBind]: bound }: JsonObject,
  definition: string,
): string {
  return referenceTo(presentation, bound, `${definition}/presentations`);
}

/** From what was expanded, or else from a reference to whichever address. */
function referenceTo(
  expanded: JsonValue | undefined,
  bound: JsonValue | undefined,
  collection: string,
): string {
  if (isJsonObject(expanded) && typeof expanded.id === "string") return `${collection}('${expanded.id}')`;
  const address = typeof bound === "string" ? bound : "";
  return address.slice(Math.max(address.indexOf("/deviceManagement/"), 0));
}

function keyedBy(key: string, values: JsonObject[]): Map<string, JsonObject> {
  return new Map(values.map((value) => [String(value[key]), value]));
}

function sortedBy(key: string, values: JsonObject[]): JsonObject[] {
  return values.sort((a, b) => (String(a[key]) < String(b[key]) ? -1 : 1));
}

function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}
