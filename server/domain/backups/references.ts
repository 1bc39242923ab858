import type { JsonObject, JsonValue } from "../../provider/port.ts";
import { isObject, targetOf } from "./assignment.ts";

/** What a policy names by an id that means something in its own directory only. */
export type References = { groups: string[]; filters: string[]; scopeTags: string[] };

/** The names behind such ids, kept with a backup: elsewhere their like can only be found by name. */
export type ReferredNames = {
  groups: Record<string, string>;
  filters: Record<string, string>;
  scopeTags: Record<string, string>;
};

/** Every directory has this scope tag, under this id. */
export const defaultScopeTag = "0";

/** Where a policy keeps its scope tags: in one of these. */
export const scopeTagKeys = ["roleScopeTagIds", "roleScopeTags"] as const;

/** The groups, filters and scope tags that a policy names, in its assignments or in itself. */
export function referencesOf(normalised: JsonObject, assignments: readonly JsonObject[] | null): References {
  const targets = (assignments ?? []).map(targetOf);
  const users = usersOf(normalised);
  return {
    groups: distinct([
      ...targets.map(({ groupId }) => groupId),
      ...textsIn(users.includeGroups),
      ...textsIn(users.excludeGroups),
    ]),
    filters: distinct(targets.map(({ filterId }) => filterId)),
    scopeTags: distinct(scopeTagKeys.flatMap((key) => textsIn(normalised[key]))).filter(
      (id) => id !== defaultScopeTag,
    ),
  };
}

/** What several policies name together. */
export function mergedReferences(references: readonly References[]): References {
  return {
    groups: distinct(references.flatMap(({ groups }) => groups)),
    filters: distinct(references.flatMap(({ filters }) => filters)),
    scopeTags: distinct(references.flatMap(({ scopeTags }) => scopeTags)),
  };
}

/** The names of several policies of one directory together: an id has the same name in all of them. */
export function mergedNames(names: readonly ReferredNames[]): ReferredNames {
  return {
    groups: Object.assign({}, ...names.map(({ groups }) => groups)),
    filters: Object.assign({}, ...names.map(({ filters }) => filters)),
    scopeTags: Object.assign({}, ...names.map(({ scopeTags }) => scopeTags)),
  };
}

/** Those of the known names that a policy needs. */
export function namesFor(references: References, known: ReferredNames): ReferredNames {
  return {
    groups: chosen(references.groups, known.groups),
    filters: chosen(references.filters, known.filters),
    scopeTags: chosen(references.scopeTags, known.scopeTags),
  };
}

/** Whom a Conditional Access policy is for; empty for anything else. */
function usersOf(normalised: JsonObject): JsonObject {
  const { conditions } = normalised;
  if (!isObject(conditions)) return {};
  return isObject(conditions.users) ? conditions.users : {};
}

/** The texts of a list; none for anything else. */
export function textsIn(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function chosen(ids: readonly string[], names: Record<string, string>): Record<string, string> {
  return Object.fromEntries(ids.flatMap((id) => (names[id] === undefined ? [] : [[id, names[id]]])));
}

function distinct(ids: readonly (string | null)[]): string[] {
  return [...new Set(ids.filter((id) => id !== null))];
}
