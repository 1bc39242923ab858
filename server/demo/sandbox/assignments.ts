import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { Group } from "./groups.ts";
import { makeSeededRandom, type SeededRandom } from "./seededRandom.ts";

const unassignable: readonly PolicyType[] = [
  "assignmentFilters",
  "roleScopeTags",
  "conditionalAccessPolicies",
];

/** Whom a generated policy is for: most are for a group, some leave one out or narrow it by a filter. */
export function generateAssignments(
  type: PolicyType,
  policyId: string,
  groups: readonly Group[],
  filterIds: readonly string[],
): JsonObject[] {
  const [first, ...others] = groups;
  const random = makeSeededRandom(`${policyId}/assignments`);
  if (first === undefined || unassignable.includes(type) || random.chance(0.15)) return [];
  const [filterId] = random.chance(0.25) ? filterIds : [];
  if (random.chance(0.15)) return [shownAssignment(policyId, { "@odata.type": allDevices, ...by(filterId) })];
  const included = random.pick([first, ...others]);
  const excluded = random.chance(0.3) ? pickOther(random, groups, included) : undefined;
  const inclusion = { "@odata.type": toGroup, groupId: included.id, ...by(filterId) };
  if (excluded === undefined) return [shownAssignment(policyId, inclusion)];
  const exclusion = { "@odata.type": exceptGroup, groupId: excluded.id, ...by(undefined) };
  return [shownAssignment(policyId, inclusion), shownAssignment(policyId, exclusion)];
}

/** As Graph gives it: the target, and what the service adds. */
export function shownAssignment(policyId: string, target: JsonObject): JsonObject {
  const { "@odata.type": kind, groupId } = target;
  const whom = typeof groupId === "string" ? groupId : (everyone[String(kind)] ?? "");
  return { id: `${policyId}_${whom}`, source: "direct", sourceId: policyId, target };
}

const toGroup = "#microsoft.graph.groupAssignmentTarget";
const exceptGroup = "#microsoft.graph.exclusionGroupAssignmentTarget";
const allDevices = "#microsoft.graph.allDevicesAssignmentTarget";
const allUsers = "#microsoft.graph.allLicensedUsersAssignmentTarget";

/** What a target is, and whether it needs a group. */
export const targetKinds: Readonly<Record<string, { needsGroup: boolean }>> = {
  [toGroup]: { needsGroup: true },
  [exceptGroup]: { needsGroup: true },
  [allDevices]: { needsGroup: false },
  [allUsers]: { needsGroup: false },
};

// The same in every directory.
const everyone: Readonly<Record<string, string>> = {
  [allDevices]: "adadadad-808e-44e2-905a-0b7873a8a531",
  [allUsers]: "acacacac-9df4-4c7d-9d50-4ef0226f57a9",
};

function by(filterId: string | undefined): JsonObject {
  return {
    deviceAndAppManagementAssignmentFilterId: filterId ?? null,
    deviceAndAppManagementAssignmentFilterType: filterId === undefined ? "none" : "include",
  };
}

function pickOther(random: SeededRandom, groups: readonly Group[], not: Group): Group | undefined {
  const others = groups.filter(({ id }) => id !== not.id);
  return others[random.integer(others.length)];
}
