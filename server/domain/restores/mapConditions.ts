import type { JsonObject, JsonValue } from "../../provider/port.ts";
import { isObject } from "../backups/assignment.ts";
import { type ReferredNames, textsIn } from "../backups/references.ts";
import type { Resolved, Resolver, Step } from "./resolver.ts";

/**
 * Lists of a Conditional Access policy that name things by id. Of `group`s names were kept, of others none. Directory
 * roles are none of them: they are named by the ids of their templates, which every directory has.
 */
type IdList = { of: string; key: string; what: string; isGroup?: boolean };

const inclusions: readonly IdList[] = [
  { of: "users", key: "includeGroups", what: "group", isGroup: true },
  { of: "users", key: "includeUsers", what: "person" },
  { of: "locations", key: "includeLocations", what: "location" },
  { of: "clientApplications", key: "includeServicePrincipals", what: "application" },
];

const exclusions: readonly IdList[] = [
  { of: "users", key: "excludeGroups", what: "group", isGroup: true },
  { of: "users", key: "excludeUsers", what: "person" },
  { of: "locations", key: "excludeLocations", what: "location" },
  { of: "clientApplications", key: "excludeServicePrincipals", what: "application" },
];

/**
 * The policy as it would be at the target: what it names by id is found there. An exclusion that cannot be found
 * refuses it, since it would be for more people; so does a list of whom or what it is for that would be empty,
 * which means anybody to some conditions; and a control that is not there, which nobody could meet.
 */
export function mapConditions(policy: JsonObject, names: ReferredNames, resolve: Resolver): Step<JsonObject> {
  const { conditions } = policy;
  if (!isObject(conditions)) return { value: policy, notes: [] };
  const control = problemOfControls(policy.grantControls, resolve);
  if (control !== null) return { refused: control };
  const notes: string[] = [];
  let mapped = conditions;
  for (const list of exclusions) {
    const { ids, absent } = mapList(mapped, list, names, resolve);
    if (absent[0] !== undefined)
      return { refused: `It leaves out a ${list.what}: ${absent[0]}. Without that, it would be for more.` };
    mapped = withList(mapped, list, ids);
  }
  for (const list of inclusions) {
    const { ids, absent } = mapList(mapped, list, names, resolve);
    notes.push(...absent.map((why) => `It no longer includes a ${list.what}: ${why}.`));
    mapped = withList(mapped, list, ids);
  }
  const empty = inclusions.find(({ of }) => isNamed(conditions, of) && !isNamed(mapped, of));
  if (empty !== undefined)
    return { refused: `Nothing would be left of the ${empty.of} it is for: ${notes.join(" ")}` };
  return { value: { ...policy, conditions: mapped }, notes };
}

function mapList(
  conditions: JsonObject,
  list: IdList,
  names: ReferredNames,
  resolve: Resolver,
): { ids: JsonValue[]; absent: string[] } {
  const found = idsOf(conditions, list).map((id) => resolveId(id, list, names, resolve));
  return {
    ids: found.flatMap((one) => (one.kind === "found" ? [one.id] : [])),
    absent: found.flatMap((one) => (one.kind === "absent" ? [one.why] : [])),
  };
}

function resolveId(id: string, list: IdList, names: ReferredNames, resolve: Resolver): Resolved {
  if (list.isGroup === true) return resolve.group(id, names.groups[id] ?? null);
  if (isKeyword(id) || !resolve.isElsewhere) return { kind: "found", id };
  return { kind: "absent", why: `${id} means nothing at ${resolve.tenantName}` };
}

/** `All`, `GuestsOrExternalUsers`, `AllTrusted` and what else is the same in every directory. */
function isKeyword(id: string): boolean {
  return !/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(id) || isBuiltIn(id);
}

/** Ids of what every directory has from the beginning, such as the strengths of authentication. */
function isBuiltIn(id: string): boolean {
  return /^0{8}-0{4}-0{4}-0{4}-0{11}[0-9a-f]$/i.test(id);
}

function problemOfControls(controls: JsonValue | undefined, { isElsewhere, tenantName }: Resolver) {
  if (!isElsewhere || !isObject(controls)) return null;
  const { authenticationStrength: strength, termsOfUse } = controls;
  if (isObject(strength) && typeof strength.id === "string" && !isBuiltIn(strength.id))
    return `It asks for an authentication strength that means nothing at ${tenantName}.`;
  if (textsIn(termsOfUse).length > 0)
    return `It asks to agree to terms of use that mean nothing at ${tenantName}.`;
  return null;
}

function idsOf(conditions: JsonObject, { of, key }: IdList): string[] {
  const holder = conditions[of];
  return isObject(holder) ? textsIn(holder[key]) : [];
}

function withList(conditions: JsonObject, { of, key }: IdList, ids: JsonValue[]): JsonObject {
  const holder = conditions[of];
  if (!isObject(holder) || holder[key] === undefined) return conditions;
  return { ...conditions, [of]: { ...holder, [key]: ids } };
}

/** Whether any inclusion of that condition names anything. */
function isNamed(conditions: JsonObject, of: string): boolean {
  const holder = conditions[of];
  if (isObject(holder) && isObject(holder.includeGuestsOrExternalUsers)) return true;
  if (isObject(holder) && textsIn(holder.includeRoles).length > 0) return true;
  return inclusions.some((list) => list.of === of && idsOf(conditions, list).length > 0);
}
