import type { JsonObject } from "../../provider/port.ts";
import { comparable, digestOfAssignments, retargeted, targetOf } from "../backups/assignment.ts";
import type { ReferredNames } from "../backups/references.ts";
import { digestOfJson } from "../digest.ts";
import type { RestoreOptions } from "./options.ts";
import type { Resolver, Step } from "./resolver.ts";

/** `live`: the present assignments at the target, none for a policy that is not there. */
export type AssignmentQuestion = {
  backedUp: readonly JsonObject[] | null;
  live: readonly JsonObject[];
  mode: RestoreOptions["assignments"];
  names: ReferredNames;
  resolve: Resolver;
};

/**
 * The whole set of assignments to send, because sending replaces the set that is there; null when it would
 * change nothing. Groups that are not at the target are left out with a note, but an exclusion or a filter that
 * cannot be found refuses the item: without it the policy would be for more than it was (handbook 4).
 */
export function planAssignments(question: AssignmentQuestion): Step<JsonObject[] | null> {
  const { backedUp, live, mode, names } = question;
  if (backedUp === null) return { value: null, notes: [] };
  const mapped = mapAll(backedUp, question);
  if ("refused" in mapped) return mapped;
  const notes = [...mapped.notes];
  const said = (note: string) => void notes.push(note);
  const together = merge(
    merge([], mode === "union" ? live : [], names, () => {}),
    mapped.value,
    names,
    said,
  );
  const isSame = digestOfAssignments(together) === digestOfAssignments(live);
  return { value: isSame ? null : together, notes };
}

function mapAll(backedUp: readonly JsonObject[], { names, resolve }: AssignmentQuestion): Step<JsonObject[]> {
  const value: JsonObject[] = [];
  const notes: string[] = [];
  for (const assignment of backedUp) {
    const mapped = mapOne(assignment, names, resolve);
    if ("refused" in mapped) return mapped;
    notes.push(...mapped.notes);
    if (mapped.value !== null) value.push(mapped.value);
  }
  return { value, notes };
}

/** Null for an inclusion that cannot be carried over. */
function mapOne(assignment: JsonObject, names: ReferredNames, resolve: Resolver): Step<JsonObject | null> {
  const { excludes, groupId, filterId, kind } = targetOf(assignment);
  if (groupId === null && resolve.isElsewhere && !isEverybody(kind))
    return { value: null, notes: [`An assignment to a ${kind} means nothing at ${resolve.tenantName}.`] };
  const group = groupId === null ? null : resolve.group(groupId, names.groups[groupId] ?? null);
  if (group?.kind === "absent") {
    if (excludes)
      return { refused: `It leaves out a group: ${group.why}. Without that, it would be for more people.` };
    return { value: null, notes: [`It is not assigned to one of its groups: ${group.why}.`] };
  }
  const filter = filterId === null ? null : resolve.filter(filterId, names.filters[filterId] ?? null);
  if (filter?.kind === "absent")
    return {
      refused: `An assignment is narrowed by a filter: ${filter.why}. Without it, it would be for more.`,
    };
  const ids = { ...(group && { groupId: group.id }), ...(filter && { filterId: filter.id }) };
  return { value: retargeted(comparable(assignment), ids), notes: [] };
}

function isEverybody(kind: string): boolean {
  return kind === "allDevicesAssignmentTarget" || kind === "allLicensedUsersAssignmentTarget";
}

/** Adds assignments to those there are, one for each group; whom either side leaves out is left out. */
function merge(
  present: readonly JsonObject[],
  added: readonly JsonObject[],
  names: ReferredNames,
  note: (note: string) => void,
): JsonObject[] {
  const byWhom = new Map(present.map((assignment) => [whomOf(assignment), assignment]));
  for (const assignment of added) {
    const whom = whomOf(assignment);
    const before = byWhom.get(whom);
    const { excludes, groupId } = targetOf(assignment);
    const wasExcluded = before !== undefined && targetOf(before).excludes;
    if (wasExcluded && !excludes) {
      note(`It is not assigned to ${called(groupId, names)}, which is left out at present.`);
      continue;
    }
    if (before !== undefined && !wasExcluded && excludes)
      note(`It is no longer assigned to ${called(groupId, names)}, which the backup leaves out.`);
    byWhom.set(whom, comparable(assignment));
  }
  return [...byWhom.values()];
}

/** The same for an inclusion and an exclusion of one group, with or without a filter. */
function whomOf(assignment: JsonObject): string {
  const { groupId, kind } = targetOf(assignment);
  if (groupId !== null) return `group:${groupId}`;
  if (isEverybody(kind)) return kind;
  return digestOfJson(comparable(assignment));
}

function called(groupId: string | null, names: ReferredNames): string {
  const name = groupId === null ? undefined : names.groups[groupId];
  return name === undefined ? `group ${groupId ?? ""}` : `“${name}”`;
}
