import type { JsonObject } from "../../provider/port.ts";
import { planAssignments } from "../restores/planAssignments.ts";
import type { Resolver } from "../restores/resolver.ts";
import type { MeantGroup } from "./execution.ts";

/**
 * The whole set of assignments to send so that these groups are in it besides those that are there; null when it
 * would change nothing. Whoever is left out at present stays left out, which a note says.
 */
export function addGroups(
  live: readonly JsonObject[],
  groups: readonly MeantGroup[],
): { assignments: JsonObject[] | null; notes: string[] } {
  const backedUp = groups.map(assignmentTo);
  const names = {
    groups: Object.fromEntries(groups.map(({ id, name }) => [id, name])),
    filters: {},
    scopeTags: {},
  };
  const planned = planAssignments({ backedUp, live, mode: "union", names, resolve: asTheyAre });
  // Nothing has to be found elsewhere, so nothing can be refused.
  if ("refused" in planned) throw new Error(planned.refused);
  return { assignments: planned.value, notes: planned.notes };
}

function assignmentTo({ id, excludes }: MeantGroup): JsonObject {
  const kind = excludes ? "exclusionGroupAssignmentTarget" : "groupAssignmentTarget";
  return { target: { "@odata.type": `#microsoft.graph.${kind}`, groupId: id } };
}

const found = (id: string) => ({ kind: "found" as const, id });

/** All ids are of the tenant itself. */
const asTheyAre: Resolver = {
  tenantName: "the tenant",
  isElsewhere: false,
  group: found,
  filter: found,
  scopeTag: found,
};
