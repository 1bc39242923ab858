import type { JsonObject, JsonValue } from "../../provider/port.ts";
import { digestOfJson } from "../digest.ts";

/** Whom one assignment is for, or leaves out, as far as that is said by id. */
export type AssignmentTarget = {
  /** The kind of target, without the provider's prefix: `groupAssignmentTarget`, `allDevicesAssignmentTarget`. */
  kind: string;
  excludes: boolean;
  groupId: string | null;
  filterId: string | null;
};

const filterIdKey = "deviceAndAppManagementAssignmentFilterId";
const filterTypeKey = "deviceAndAppManagementAssignmentFilterType";

export function targetOf(assignment: JsonObject): AssignmentTarget {
  const target = isObject(assignment.target) ? assignment.target : {};
  const kind = String(target["@odata.type"] ?? "").replace(/^#microsoft\.graph\./, "");
  return {
    kind,
    excludes: /^exclusion/i.test(kind),
    groupId: typeof target.groupId === "string" ? target.groupId : null,
    filterId: filterOf(target),
  };
}

/** The same assignment with its group or filter named by other ids; `undefined` leaves one as it is. */
export function retargeted(
  assignment: JsonObject,
  ids: { groupId?: JsonValue; filterId?: JsonValue },
): JsonObject {
  const target = isObject(assignment.target) ? assignment.target : {};
  return {
    ...assignment,
    target: {
      ...target,
      ...(ids.groupId === undefined ? {} : { groupId: ids.groupId }),
      ...(ids.filterId === undefined ? {} : { [filterIdKey]: ids.filterId }),
    },
  };
}

/** An assignment without what says only where it came from; of two that mean the same, equal texts. */
export function comparable(assignment: JsonObject): JsonObject {
  const { id: _id, source: _source, sourceId: _sourceId, target, ...rest } = assignment;
  const kept = Object.entries(isObject(target) ? target : {}).filter(
    ([key]) => key === "@odata.type" || !(key.includes("@odata.") || key.startsWith("#")),
  );
  const {
    [filterIdKey]: filterId = null,
    [filterTypeKey]: filterType = null,
    ...whom
  } = Object.fromEntries(kept);
  const filter = { [filterIdKey]: filterId, [filterTypeKey]: filterType };
  return { ...withoutAnnotations(rest), target: { ...whom, ...(isNarrowed(filter) ? filter : {}) } };
}

/** Equal for sets of assignments that mean the same, in whatever order; null for a type that has none. */
export function digestOfAssignments(assignments: readonly JsonObject[] | null): string | null {
  if (assignments === null) return null;
  return digestOfJson(
    [...new Set(assignments.map((assignment) => digestOfJson(comparable(assignment))))].sort(),
  );
}

function filterOf(target: JsonObject): string | null {
  const id = target[filterIdKey];
  return typeof id === "string" && isNarrowed(target) ? id : null;
}

/** Without a filter the provider gives none, an empty text, zeroes or the type "none". */
function isNarrowed({ [filterIdKey]: id = null, [filterTypeKey]: type }: JsonObject): boolean {
  return id !== null && !(typeof id === "string" && /^[0-]*$/.test(id)) && type !== "none";
}

function withoutAnnotations(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(([key]) => !(key.includes("@odata.") || key.startsWith("#"))),
  );
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
