import type { JsonObject } from "../../provider/port.ts";
import { comparable, targetOf } from "../backups/assignment.ts";
import type { MeantGroup } from "./execution.ts";

/**
 * The whole set of assignments to send so that these groups are in it besides those that are there; null when it
 * would change nothing. Nothing is widened: whoever is left out at present stays left out, and who is narrowed by
 * a filter stays narrowed; notes say so.
 */
export function addGroups(
  live: readonly JsonObject[],
  groups: readonly MeantGroup[],
): { assignments: JsonObject[] | null; notes: string[] } {
  const notes: string[] = [];
  let assignments = live.map(comparable);
  let isChanged = false;
  for (const group of groups) {
    const present = assignments.find((assignment) => targetOf(assignment).groupId === group.id);
    const note = present === undefined ? null : noteOn(present, group);
    if (note !== null) notes.push(note);
    if (present !== undefined && !(group.excludes && !targetOf(present).excludes)) continue;
    assignments = [...assignments.filter((assignment) => assignment !== present), assignmentTo(group)];
    isChanged = true;
  }
  return { assignments: isChanged ? assignments : null, notes };
}

/** What is to be said of a group that the policy names already. */
function noteOn(present: JsonObject, { name, excludes }: MeantGroup): string | null {
  const { excludes: isLeftOut, filterId } = targetOf(present);
  if (excludes) return isLeftOut ? null : `It is no longer assigned to “${name}”.`;
  if (isLeftOut) return `It is not assigned to “${name}”, which is left out at present.`;
  return filterId === null ? null : `It is assigned to “${name}” already, narrowed by a filter.`;
}

function assignmentTo({ id, excludes }: MeantGroup): JsonObject {
  const kind = excludes ? "exclusionGroupAssignmentTarget" : "groupAssignmentTarget";
  return { target: { "@odata.type": `#microsoft.graph.${kind}`, groupId: id } };
}
