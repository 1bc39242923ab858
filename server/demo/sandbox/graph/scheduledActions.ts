import type { PolicyType } from "../../../provider/policyTypes.ts";
import type { JsonObject, JsonValue } from "../../../provider/port.ts";
import { type Answer, answered, type Refusal } from "../answers.ts";
import { type GraphCall, isJsonObject, objectsIn } from "./call.ts";
import { notFound } from "./reading.ts";
import { touch } from "./touch.ts";
import { badRequest, reasonOfAnnotations } from "./validation.ts";

const actionKey = "deviceComplianceScheduledActionForRules";

/** `scheduleActionsForRules`: replaces what happens to devices that do not comply. */
export function scheduleActions(call: GraphCall, type: PolicyType, id: string): Answer | Refusal {
  const policy = call.directory.policies[type].get(id);
  if (policy === undefined) return notFound(type, id);
  const { body } = call;
  if (!isJsonObject(body) || Object.keys(body).join() !== actionKey)
    return badRequest(type, `The action expects '${actionKey}' and nothing else.`);
  const reason = reasonOfAnnotations(body) ?? reasonOfActions(body[actionKey]);
  if (reason !== null) return badRequest(type, reason);
  policy.payload.scheduledActionsForRule = withNewIds(body[actionKey]);
  touch(type, policy);
  return answered(204);
}

/** Why the actions would be refused: a policy has one rule, which blocks devices sooner or later. */
export function reasonOfActions(rules: JsonValue | undefined): string | null {
  const [rule, ...others] = objectsIn(rules);
  if (rule === undefined || others.length > 0) return "There must be exactly one scheduled action rule.";
  const blocks = objectsIn(rule.scheduledActionConfigurations).filter(
    ({ actionType }) => actionType === "block",
  );
  return blocks.length === 1 ? null : "The rule must have exactly one action that blocks.";
}

/** Rules and actions get ids of their own, whatever they came with. */
export function withNewIds(rules: JsonValue | undefined): JsonObject[] {
  return objectsIn(rules).map((rule) => ({
    ...rule,
    id: crypto.randomUUID(),
    scheduledActionConfigurations: objectsIn(rule.scheduledActionConfigurations).map((action) => ({
      ...action,
      id: crypto.randomUUID(),
    })),
  }));
}
