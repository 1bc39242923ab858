import type { ReasonCode } from "./reasons.ts";

/** `value` is what was found, in words; `not_applicable` means the check's premise failed or does not exist. */
export type Check =
  | { result: "passed" | "not_applicable"; value: string }
  | { result: "failed"; value: string; reason: ReasonCode };

export function hasFailed(check: Check): boolean {
  return check.result === "failed";
}

export function passed(value: string): Check {
  return { result: "passed", value };
}

export function notApplicable(value: string): Check {
  return { result: "not_applicable", value };
}

export function failed(reason: ReasonCode, value: string): Check {
  return { result: "failed", value, reason };
}
