import type { PolicyType } from "../../../provider/policyTypes.ts";
import type { JsonObject, JsonValue } from "../../../provider/port.ts";
import { type Answer, answered, type Refusal } from "../answers.ts";
import { type DefinitionCatalogue, shownDefinition, shownPresentation } from "../definitionCatalogue.ts";
import { type GraphCall, isJsonObject, objectsIn } from "./call.ts";
import { pageOf } from "./paging.ts";
import { notFound } from "./reading.ts";
import { touch } from "./touch.ts";
import { badRequest, reasonOfAnnotations } from "./validation.ts";

const type: PolicyType = "groupPolicyConfigurations";

/** What an administrative template sets; of which definition it is a value only where asked for. */
export function listDefinitionValues(call: GraphCall, _type: PolicyType, id: string): Answer | Refusal {
  const policy = call.directory.policies[type].get(id);
  if (policy === undefined) return notFound(type, id);
  const isExpanded = call.address.searchParams.get("$expand") === "definition";
  return pageOf(call.address, objectsIn(policy.payload.definitionValues), (value) => {
    const { presentationValues: _apart, definition, ...own } = value;
    return isExpanded && definition !== undefined ? { ...own, definition } : own;
  });
}

export function listPresentationValues(
  call: GraphCall,
  _type: PolicyType,
  id: string,
  valueId: string,
): Answer | Refusal {
  const values = objectsIn(call.directory.policies[type].get(id)?.payload.definitionValues);
  const value = values.find((each) => each.id === valueId);
  if (value === undefined) return notFound(type, valueId);
  const isExpanded = call.address.searchParams.get("$expand") === "presentation";
  return pageOf(call.address, objectsIn(value.presentationValues), ({ presentation, ...own }) =>
    isExpanded && presentation !== undefined ? { ...own, presentation } : own,
  );
}

/** `updateDefinitionValues`: adds, replaces and removes values, all of it or nothing. */
export function updateDefinitionValues(call: GraphCall, _type: PolicyType, id: string): Answer | Refusal {
  const policy = call.directory.policies[type].get(id);
  if (policy === undefined) return notFound(type, id);
  const { body } = call;
  if (!isJsonObject(body) || Object.keys(body).some((key) => !actionKeys.includes(key)))
    return badRequest(type, `The action expects ${actionKeys.join(", ")}.`);
  const present = objectsIn(policy.payload.definitionValues);
  const reason = reasonOfAnnotations(body) ?? reasonOfValues(call.definitions, body, present);
  if (reason !== null) return badRequest(type, reason);
  policy.payload.definitionValues = changedValues(call.definitions, body, present);
  touch(type, policy);
  return answered(204);
}

/** A value as it is kept: made of what was sent, the catalogue and ids of its own where it has none. */
export function keptValue(definitions: DefinitionCatalogue, value: JsonObject): JsonObject {
  const definition = definitions.find(definitionIdOf(value));
  const now = new Date().toISOString();
  const begins = { id: crypto.randomUUID(), createdDateTime: now, lastModifiedDateTime: now };
  return {
    ...begins,
    ...withoutReferences(value),
    configurationType: "policy",
    ...(definition === undefined ? {} : { definition: shownDefinition(definition) }),
    presentationValues: objectsIn(value.presentationValues).map((own) => {
      const presentation = definition?.presentations.find((each) => each.id === presentationIdOf(own));
      return {
        ...begins,
        id: crypto.randomUUID(),
        ...withoutReferences(own),
        ...(presentation === undefined ? {} : { presentation: shownPresentation(presentation) }),
      };
    }),
  };
}

/** The id in `definition@odata.bind`, or of the definition itself; empty when there is neither. */
export function definitionIdOf({ definition, ...value }: JsonObject): string {
  if (isJsonObject(definition) && typeof definition.id === "string") return definition.id;
  return boundId(value["definition@odata.bind"], /groupPolicyDefinitions(?:\('|\/)([^'/)]+)/);
}

export function presentationIdOf({ presentation, ...value }: JsonObject): string {
  if (isJsonObject(presentation) && typeof presentation.id === "string") return presentation.id;
  return boundId(value["presentation@odata.bind"], /presentations(?:\('|\/)([^'/)]+)/);
}

const actionKeys = ["added", "updated", "deletedIds"];
const valueKeys = [
  "id",
  "@odata.type",
  "enabled",
  "configurationType",
  "definition@odata.bind",
  "presentationValues",
];

function reasonOfValues(
  definitions: DefinitionCatalogue,
  body: JsonObject,
  present: JsonObject[],
): string | null {
  const deleted = Array.isArray(body.deletedIds) ? body.deletedIds : [];
  const touched = [...deleted, ...objectsIn(body.updated).map(({ id }) => id)];
  if (touched.some((id) => !present.some((value) => value.id === id)))
    return "A definition value that is to be changed or deleted does not exist.";
  if (objectsIn(body.added).some(({ id }) => id !== undefined))
    return "The property 'id' is read-only and cannot be set.";
  const after = changedValues(definitions, body, present);
  if (new Set(after.map(definitionIdOf)).size < after.length) return "A definition has a value already.";
  for (const value of [...objectsIn(body.added), ...objectsIn(body.updated)]) {
    const reason = reasonOfValue(definitions, value);
    if (reason !== null) return reason;
  }
  return null;
}

function reasonOfValue(definitions: DefinitionCatalogue, value: JsonObject): string | null {
  const unknown = Object.keys(value).find((key) => !valueKeys.includes(key));
  if (unknown !== undefined) return `The property '${unknown}' of a definition value cannot be set.`;
  const definition = definitions.find(definitionIdOf(value));
  if (definition === undefined) return "The bound group policy definition does not exist.";
  if (typeof value.enabled !== "boolean") return "A definition value is enabled or not.";
  for (const own of objectsIn(value.presentationValues)) {
    if (!definition.presentations.some(({ id }) => id === presentationIdOf(own)))
      return "The bound presentation is not one of the definition's.";
    if (typeof own["@odata.type"] !== "string") return "A presentation value needs its '@odata.type'.";
  }
  return null;
}

function changedValues(
  definitions: DefinitionCatalogue,
  body: JsonObject,
  present: JsonObject[],
): JsonObject[] {
  const deleted = Array.isArray(body.deletedIds) ? body.deletedIds : [];
  const updated = objectsIn(body.updated);
  return [
    ...present
      .filter(({ id }) => !deleted.some((gone) => gone === id))
      .map((value) => {
        const change = updated.find(({ id }) => id === value.id);
        return change === undefined
          ? value
          : { ...keptValue(definitions, change), createdDateTime: value.createdDateTime ?? null };
      }),
    ...objectsIn(body.added).map((value) => keptValue(definitions, value)),
  ];
}

function withoutReferences(value: JsonObject): JsonObject {
  const apart = ["definition", "presentation", "presentationValues"];
  return Object.fromEntries(
    Object.entries(value).filter(
      ([key]) => !apart.includes(key) && !key.endsWith("@odata.bind") && !key.startsWith("#"),
    ),
  );
}

function boundId(reference: JsonValue | undefined, pattern: RegExp): string {
  return typeof reference === "string" ? (pattern.exec(reference)?.[1] ?? "") : "";
}
