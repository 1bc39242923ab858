import type { PolicyType } from "../policyTypes.ts";
import type { JsonObject, JsonValue } from "../port.ts";
import { isJsonObject } from "./json.ts";
import { policyRules } from "./policyRules.ts";

/** The parts of a policy's match key (handbook 4), as one text that equal policies share. */
export function matchKeyOf(type: PolicyType, payload: JsonObject): string {
  return JSON.stringify(policyRules[type].matchKey.map((path) => valueAt(payload, path) ?? ""));
}

function valueAt(payload: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = payload;
  for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
  return value;
}
