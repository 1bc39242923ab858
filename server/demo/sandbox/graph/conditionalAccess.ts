import type { JsonObject, JsonValue } from "../../../provider/port.ts";
import { type Refusal, refused } from "../answers.ts";
import type { Directory } from "../directories.ts";
import { isJsonObject } from "./call.ts";

const states = ["enabled", "disabled", "enabledForReportingButNotEnforced"];

/** Why Conditional Access would refuse a policy, beyond what holds for every type; null when it would not. */
export function refusalOfConditionalAccess(method: string, body: JsonObject): string | null {
  if (typeof body.state === "string" && !states.includes(body.state))
    return `1007: The state '${body.state}' is not one of ${states.join(", ")}.`;
  const found = nullIn(method === "PATCH" ? withoutClearing(body) : body, "");
  if (found !== null) return `1004: The value of '${found}' must not be null.`;
  const strength = isJsonObject(body.grantControls) ? body.grantControls.authenticationStrength : undefined;
  if (strength === undefined) return null;
  const isReference = isJsonObject(strength) && Object.keys(strength).join() === "id";
  return isReference ? null : "1105: 'authenticationStrength' is given by its id and nothing else.";
}

/** A change of what is there: what is named is replaced, and within conditions only what is named. */
export function mergeConditionalAccess(present: JsonObject, change: JsonObject): JsonObject {
  const conditions =
    isJsonObject(present.conditions) && isJsonObject(change.conditions)
      ? { conditions: merged(present.conditions, change.conditions) }
      : {};
  return { ...present, ...change, ...conditions };
}

function merged(present: JsonObject, change: JsonObject): JsonObject {
  const entries = Object.entries(change).map(([key, after]): [string, JsonValue] => {
    const before = present[key];
    return [key, isJsonObject(before) && isJsonObject(after) ? merged(before, after) : after];
  });
  return { ...present, ...Object.fromEntries(entries) };
}

/** As Graph gives it: what is not set is there, as null, and what was referred to by its id is whole. */
export function completedConditionalAccess(policy: JsonObject): JsonObject {
  const { conditions, grantControls } = policy;
  return {
    templateId: null,
    sessionControls: null,
    ...policy,
    conditions: {
      platforms: null,
      locations: null,
      devices: null,
      ...(isJsonObject(conditions) && conditions),
    },
    grantControls: isJsonObject(grantControls) ? withWholeStrength(grantControls) : null,
  };
}

function withWholeStrength(grantControls: JsonObject): JsonObject {
  const { authenticationStrength } = grantControls;
  if (!isJsonObject(authenticationStrength)) return { ...grantControls, authenticationStrength: null };
  const whole = {
    displayName: "An authentication strength",
    policyType: "builtIn",
    requirementsSatisfied: "mfa",
    allowedCombinations: ["fido2"],
    ...authenticationStrength,
  };
  return { ...grantControls, authenticationStrength: whole };
}

/** One request in so many milliseconds, where the directory says so. */
export function throttleConditionalAccess(directory: Directory): Refusal | null {
  const { conditionalAccessLimit, conditionalAccessAt } = directory;
  const now = Date.now();
  if (now - conditionalAccessAt < conditionalAccessLimit) {
    const message = "Too many requests. Please retry later.";
    return { ...refused("graph", 429, "TooManyRequests", message), retryAfter: "1" };
  }
  directory.conditionalAccessAt = now;
  return null;
}

/** Within conditions, what is no list. */
const clearable = [
  "includeGuestsOrExternalUsers",
  "excludeGuestsOrExternalUsers",
  "applicationFilter",
  "deviceFilter",
  "servicePrincipalFilter",
];

/** Whole controls and conditions may be cleared by a change, and objects within conditions; nothing else may be null. */
function withoutClearing({ conditions, ...body }: JsonObject): JsonObject {
  const kept = Object.entries(body).filter(
    ([key, value]) => !(value === null && (key === "grantControls" || key === "sessionControls")),
  );
  const keptConditions = isJsonObject(conditions)
    ? Object.fromEntries(
        Object.entries(conditions).flatMap(([key, value]) => (value === null ? [] : [[key, cleared(value)]])),
      )
    : conditions;
  return {
    ...Object.fromEntries(kept),
    ...(keptConditions === undefined ? {} : { conditions: keptConditions }),
  };
}

function cleared(condition: JsonValue): JsonValue {
  if (!isJsonObject(condition)) return condition;
  return Object.fromEntries(
    Object.entries(condition).filter(([key, value]) => !(value === null && clearable.includes(key))),
  );
}

function nullIn(value: JsonValue, path: string): string | null {
  if (value === null) return path;
  if (typeof value !== "object") return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = nullIn(inner, path === "" ? key : `${path}/${key}`);
    if (found !== null) return found;
  }
  return null;
}
