import type { PolicyType } from "../../../provider/policyTypes.ts";
import type { JsonObject, JsonValue } from "../../../provider/port.ts";
import { type Answer, answered, type Refusal, refused } from "../answers.ts";
import type { StoredPolicy } from "../directories.ts";
import { type GraphCall, objectsIn } from "./call.ts";
import { pageOf } from "./paging.ts";
import { resources } from "./resources.ts";

export function listPolicies(call: GraphCall, type: PolicyType): Answer | Refusal {
  const policies = [...call.directory.policies[type].values()];
  return pageOf(call.address, policies, (policy) => listed(call, type, policy));
}

export function readPolicy(call: GraphCall, type: PolicyType, id: string): Answer | Refusal {
  const policy = call.directory.policies[type].get(id);
  if (policy === undefined) return notFound(type, id);
  return answered(200, single(call, type, shown(call, type, policy)));
}

export function listAssignments(call: GraphCall, type: PolicyType, id: string): Answer | Refusal {
  const policy = call.directory.policies[type].get(id);
  return policy === undefined
    ? notFound(type, id)
    : pageOf(call.address, policy.assignments, (assignment) => assignment);
}

/** What belongs to a policy, item by item: settings, or actions with what they do if asked for. */
export function listPart(call: GraphCall, type: PolicyType, id: string, part: string): Answer | Refusal {
  const policy = call.directory.policies[type].get(id);
  if (policy === undefined) return notFound(type, id);
  const expand = call.address.searchParams.get("$expand") ?? "";
  return pageOf(call.address, objectsIn(policy.payload[part]), (item) =>
    part === "scheduledActionsForRule" ? shownRule(item, expand) : item,
  );
}

export function notFound(type: PolicyType, id: string): Refusal {
  return refused(resources[type].form, 404, "ResourceNotFound", `Nothing was found under '${id}'.`);
}

/** One object: with the address of its description, as Graph does. */
export function single(call: GraphCall, type: PolicyType, policy: JsonObject): JsonObject {
  const version = call.address.pathname.split("/")[1];
  const collection = resources[type].path.replace(/^\/[^/]+\//, "");
  const context = `${call.address.origin}/${version}/$metadata#${collection}/$entity`;
  return { "@odata.context": context, ...policy };
}

/** A policy without what belongs to it, but for what was asked for with it. */
export function shown(call: GraphCall, type: PolicyType, { payload, assignments }: StoredPolicy): JsonObject {
  const { searchParams } = call.address;
  const expand = searchParams.get("$expand") ?? "";
  const own = Object.entries(payload).filter(([key]) => !(key in resources[type].parts));
  const asked: JsonObject = {};
  if (/(^|,)scheduledActionsForRule/.test(expand) && payload.scheduledActionsForRule !== undefined)
    asked.scheduledActionsForRule = objectsIn(payload.scheduledActionsForRule).map((rule) =>
      shownRule(rule, expand),
    );
  if (/(^|,)assignments(,|$)/.test(expand)) asked.assignments = assignments;
  return selected({ ...Object.fromEntries(own), ...asked }, searchParams.get("$select"));
}

function listed(call: GraphCall, type: PolicyType, policy: StoredPolicy): JsonValue {
  const whole = shown(call, type, policy);
  return type === "deviceManagementScripts" && "scriptContent" in whole
    ? { ...whole, scriptContent: null }
    : whole;
}

function shownRule({ scheduledActionConfigurations, ...rule }: JsonObject, expand: string): JsonObject {
  return expand.includes("scheduledActionConfigurations") && scheduledActionConfigurations !== undefined
    ? { ...rule, scheduledActionConfigurations }
    : rule;
}

function selected(policy: JsonObject, select: string | null): JsonObject {
  if (select === null) return policy;
  const wanted = ["@odata.type", "id", ...select.split(",")];
  return Object.fromEntries(Object.entries(policy).filter(([key]) => wanted.includes(key)));
}
