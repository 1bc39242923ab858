import type { JsonObject, JsonValue } from "../../provider/port.ts";
import { isObject } from "../backups/assignment.ts";
import type { Resolver, Step } from "./resolver.ts";

/**
 * The compliance policy with those of its actions that mean the same at the target: elsewhere one that sends a
 * message is left out with a note, since its template is the other directory's.
 */
export function mapActions(policy: JsonObject, { isElsewhere, tenantName }: Resolver): Step<JsonObject> {
  const rules = policy.scheduledActionsForRule;
  if (!isElsewhere || !Array.isArray(rules)) return { value: policy, notes: [] };
  let left = 0;
  const kept = rules.map((rule) => {
    if (!isObject(rule) || !Array.isArray(rule.scheduledActionConfigurations)) return rule;
    const actions = rule.scheduledActionConfigurations.filter((action) => !sendsMessage(action));
    left += rule.scheduledActionConfigurations.length - actions.length;
    return { ...rule, scheduledActionConfigurations: actions };
  });
  if (left === 0) return { value: policy, notes: [] };
  const note = `It no longer sends a message: the message's template means nothing at ${tenantName}.`;
  return { value: { ...policy, scheduledActionsForRule: kept }, notes: [note] };
}

/** Without a template the provider gives none, an empty text or zeroes. */
function sendsMessage(action: JsonValue): boolean {
  const template = isObject(action) ? action.notificationTemplateId : null;
  return typeof template === "string" && !/^[0-]*$/.test(template);
}
