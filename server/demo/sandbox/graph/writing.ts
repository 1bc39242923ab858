import type { PolicyType } from "../../../provider/policyTypes.ts";
import type { JsonObject } from "../../../provider/port.ts";
import { type Answer, answered, type Refusal } from "../answers.ts";
import { type GraphCall, isJsonObject, objectsIn } from "./call.ts";
import { completedConditionalAccess, mergeConditionalAccess } from "./conditionalAccess.ts";
import { notFound, shown, single } from "./reading.ts";
import { resources } from "./resources.ts";
import { reasonOfActions, withNewIds } from "./scheduledActions.ts";
import { touch } from "./touch.ts";
import { badRequest, refusalOfPolicy } from "./validation.ts";

/** A name that another policy has already is fine: Graph does not mind. */
export function createPolicy(call: GraphCall, type: PolicyType): Answer | Refusal {
  const { directory, schema, body } = call;
  if (!isJsonObject(body)) return badRequest(type, noObject);
  const refusal = refusalOfPolicy(schema, type, "POST", body);
  if (refusal !== null) return refusal;
  const reason = type === "deviceCompliancePolicies" ? reasonOfActions(body.scheduledActionsForRule) : null;
  if (reason !== null) return badRequest(type, reason);
  const id = type === "roleScopeTags" ? nextTagId(directory.policies[type]) : crypto.randomUUID();
  const policy = { payload: withServerParts(type, { id, ...beginning(type), ...body }), assignments: [] };
  directory.policies[type].set(id, policy);
  return answered(201, single(call, type, shown(call, type, policy)));
}

/** Replaces the properties that are named, and leaves the others. */
export function changePolicy(call: GraphCall, type: PolicyType, id: string): Answer | Refusal {
  return write(call, type, id, "PATCH", (present, change) =>
    type === "conditionalAccessPolicies"
      ? completedConditionalAccess(mergeConditionalAccess(present, change))
      : { ...present, ...change },
  );
}

/** Replaces the whole object: what is not named is no longer there. */
export function replacePolicy(call: GraphCall, type: PolicyType, id: string): Answer | Refusal {
  return write(call, type, id, "PUT", (present, whole) => {
    const kept = ["id", "createdDateTime", resources[type].modifiedKey ?? "", "creationSource", "isAssigned"];
    const own = Object.entries(present).filter(([key]) => kept.includes(key));
    return withServerParts(type, { ...Object.fromEntries(own), ...whole });
  });
}

export function deletePolicy({ directory }: GraphCall, type: PolicyType, id: string): Answer | Refusal {
  if (!directory.policies[type].delete(id)) return notFound(type, id);
  return answered(resources[type].form === "intune" ? 200 : 204);
}

const noObject = "The request's body must be a JSON object.";

function write(
  call: GraphCall,
  type: PolicyType,
  id: string,
  method: "PATCH" | "PUT",
  merge: (present: JsonObject, body: JsonObject) => JsonObject,
): Answer | Refusal {
  const policy = call.directory.policies[type].get(id);
  if (policy === undefined) return notFound(type, id);
  if (!isJsonObject(call.body)) return badRequest(type, noObject);
  const refusal = refusalOfPolicy(call.schema, type, method, call.body, policy.payload);
  if (refusal !== null) return refusal;
  policy.payload = merge(policy.payload, call.body);
  touch(type, policy);
  const isSilent = method === "PUT" || resources[type].updateStatus === 204;
  return isSilent ? answered(204) : answered(200, single(call, type, shown(call, type, policy)));
}

/** What the service sets on a new object, and what it has when nothing is said. */
function beginning(type: PolicyType): JsonObject {
  const { modifiedKey, hasVersion } = resources[type];
  const now = new Date().toISOString();
  if (type === "conditionalAccessPolicies") return { createdDateTime: now, modifiedDateTime: null };
  return {
    description: null,
    ...(modifiedKey === null ? {} : { createdDateTime: now, [modifiedKey]: now }),
    ...(hasVersion ? { version: 1 } : {}),
    ...(type === "assignmentFilters" || type === "roleScopeTags" ? {} : { roleScopeTagIds: ["0"] }),
    ...(type === "deviceConfigurations" ? { supportsScopeTags: true } : {}),
    ...(type === "roleScopeTags" ? { isBuiltIn: false, permissions: [] } : {}),
    ...(type === "groupPolicyConfigurations"
      ? { policyConfigurationIngestionType: "unknown", definitionValues: [] }
      : {}),
    ...(type === "configurationPolicies" ? { creationSource: null, isAssigned: false } : {}),
  };
}

function withServerParts(type: PolicyType, payload: JsonObject): JsonObject {
  if (type === "conditionalAccessPolicies") return completedConditionalAccess(payload);
  if (type === "deviceCompliancePolicies")
    return { ...payload, scheduledActionsForRule: withNewIds(payload.scheduledActionsForRule) };
  if (type !== "configurationPolicies") return payload;
  const settings = objectsIn(payload.settings).map((setting, index) => ({ ...setting, id: String(index) }));
  return { ...payload, settings, settingCount: settings.length };
}

function nextTagId(tags: ReadonlyMap<string, unknown>): string {
  return String(Math.max(0, ...[...tags.keys()].map(Number).filter(Number.isFinite)) + 1);
}
