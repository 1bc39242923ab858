import type { PolicyType } from "../../../provider/policyTypes.ts";
import { type Answer, type Refusal, refused } from "../answers.ts";
import { refuseUnlessGranted } from "./access.ts";
import { assign } from "./assigning.ts";
import type { GraphCall } from "./call.ts";
import { throttleConditionalAccess } from "./conditionalAccess.ts";
import { listDefinitionValues, listPresentationValues, updateDefinitionValues } from "./definitionValues.ts";
import { listAssignments, listPart, listPolicies, notFound, readPolicy } from "./reading.ts";
import { resources } from "./resources.ts";
import { scheduleActions } from "./scheduledActions.ts";
import { changePolicy, createPolicy, deletePolicy, replacePolicy } from "./writing.ts";

type PolicyRoute = {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** What follows the collection; a segment in braces is handed on. */
  path: string;
  /** Which types have it; all when left out. */
  of?: (type: PolicyType) => boolean;
  answer: (call: GraphCall, type: PolicyType, id: string, part: string) => Answer | Refusal;
};

const isAssignable = (type: PolicyType): boolean => resources[type].assignKey !== null;
const only =
  (...types: PolicyType[]) =>
  (type: PolicyType): boolean =>
    types.includes(type);
const compliance = only("deviceCompliancePolicies");
const catalog = only("configurationPolicies");
const templates = only("groupPolicyConfigurations");

const routes: readonly PolicyRoute[] = [
  { method: "GET", path: "", answer: listPolicies },
  { method: "POST", path: "", answer: createPolicy },
  { method: "GET", path: "{id}", answer: readPolicy },
  { method: "PATCH", path: "{id}", answer: changePolicy },
  { method: "PUT", path: "{id}", of: catalog, answer: replacePolicy },
  { method: "DELETE", path: "{id}", answer: deletePolicy },
  { method: "GET", path: "{id}/assignments", of: isAssignable, answer: listAssignments },
  { method: "POST", path: "{id}/assign", of: isAssignable, answer: assign },
  { method: "GET", path: "{id}/settings", of: catalog, answer: part("settings") },
  {
    method: "GET",
    path: "{id}/scheduledActionsForRule",
    of: compliance,
    answer: part("scheduledActionsForRule"),
  },
  { method: "POST", path: "{id}/scheduleActionsForRules", of: compliance, answer: scheduleActions },
  { method: "GET", path: "{id}/definitionValues", of: templates, answer: listDefinitionValues },
  {
    method: "GET",
    path: "{id}/definitionValues/{part}/presentationValues",
    of: templates,
    answer: listPresentationValues,
  },
  { method: "POST", path: "{id}/updateDefinitionValues", of: templates, answer: updateDefinitionValues },
];

/** A request for policies of one type: found in the table, then held against the granted permissions. */
export function answerPolicyCall(call: GraphCall, type: PolicyType, rest: string[]): Answer | Refusal {
  const { form } = resources[type];
  if (type === "conditionalAccessPolicies") {
    const refusal = throttleConditionalAccess(call.directory);
    if (refusal !== null) return refusal;
  }
  const refusal = refuseUnlessGranted(type, call.method === "GET", call.roles);
  if (refusal !== null) return refusal;
  const here = routes.filter(({ path, of }) => (of === undefined || of(type)) && isAt(path, rest));
  if (here.length === 0) return notFound(type, rest.join("/"));
  const route = here.find(({ method }) => method === call.method);
  if (route === undefined)
    return refused(form, 405, "Request_BadRequest", "The HTTP method is not allowed for this resource.");
  const [id = "", , valueId = ""] = rest;
  return route.answer(call, type, id, valueId);
}

function part(key: string): PolicyRoute["answer"] {
  return (call, type, id) => listPart(call, type, id, key);
}

function isAt(path: string, rest: readonly string[]): boolean {
  const segments = path === "" ? [] : path.split("/");
  return (
    segments.length === rest.length &&
    segments.every((segment, index) => segment.startsWith("{") || segment === rest[index])
  );
}
