import type { PolicyType } from "../../../provider/policyTypes.ts";
import type { JsonObject, JsonValue } from "../../../provider/port.ts";
import { type Answer, answered, type Refusal } from "../answers.ts";
import { shownAssignment, targetKinds } from "../assignments.ts";
import type { Directory } from "../directories.ts";
import { type GraphCall, isJsonObject } from "./call.ts";
import { notFound } from "./reading.ts";
import { resources } from "./resources.ts";
import { touch } from "./touch.ts";
import { badRequest, reasonOfAnnotations } from "./validation.ts";

const filterId = "deviceAndAppManagementAssignmentFilterId";
const filterType = "deviceAndAppManagementAssignmentFilterType";
const targetKeys = ["@odata.type", "groupId", filterId, filterType];

/** `assign`: replaces the whole set of assignments. */
export function assign(call: GraphCall, type: PolicyType, id: string): Answer | Refusal {
  const policy = call.directory.policies[type].get(id);
  if (policy === undefined) return notFound(type, id);
  const { body } = call;
  const key = resources[type].assignKey ?? "";
  const given = isJsonObject(body) ? body[key] : undefined;
  if (!isJsonObject(body) || !Array.isArray(given) || Object.keys(body).length !== 1)
    return badRequest(type, `The action expects '${key}' and nothing else.`);
  const targets: JsonObject[] = [];
  for (const assignment of given) {
    const target = isJsonObject(assignment) ? assignment.target : undefined;
    const reason = reasonOfAnnotations(assignment) ?? reasonOfTarget(call.directory, assignment, target);
    if (reason !== null || !isJsonObject(target)) return badRequest(type, reason ?? "");
    targets.push({ [filterId]: null, [filterType]: "none", ...target });
  }
  const assignments = targets.map((target) => shownAssignment(id, target));
  if (new Set(assignments.map((assignment) => assignment.id)).size < targets.length)
    return badRequest(type, "Two assignments have the same target.");
  policy.assignments = assignments;
  touch(type, policy);
  return key === "assignments" ? answered(200, { value: policy.assignments }) : answered(200);
}

function reasonOfTarget(
  directory: Directory,
  assignment: JsonValue,
  target: JsonValue | undefined,
): string | null {
  if (!isJsonObject(assignment) || !isJsonObject(target)) return "An assignment needs a target.";
  const unknown =
    Object.keys(assignment).find((key) => key !== "target" && key !== "@odata.type") ??
    Object.keys(target).find((key) => !targetKeys.includes(key));
  if (unknown !== undefined) return `The property '${unknown}' of an assignment cannot be set.`;
  const kind = targetKinds[String(target["@odata.type"])];
  if (kind === undefined) return "The target's '@odata.type' is not one that is known.";
  if (kind.needsGroup !== (typeof target.groupId === "string"))
    return "'groupId' is for groups, and they need it.";
  const filter = target[filterId] ?? null;
  const isFiltered = filter !== null && filter !== "";
  if (isFiltered !== ((target[filterType] ?? "none") !== "none"))
    return "A filter needs its type, and no other.";
  return isFiltered && !directory.policies.assignmentFilters.has(String(filter))
    ? `The assignment filter '${String(filter)}' does not exist.`
    : null;
}
