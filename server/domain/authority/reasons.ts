/** Why a run was denied: a stable contract, only added to, in order of precedence (handbook 1, "Denials"). */
export const denials = {
  workspace_mismatch: { denialClass: "scope_denied", retryable: false },
  initiator_missing: { denialClass: "initiator_invalid", retryable: false },
  initiator_not_entitled: { denialClass: "initiator_invalid", retryable: false },
  tenant_missing: { denialClass: "scope_denied", retryable: false },
  tenant_not_entitled: { denialClass: "scope_denied", retryable: false },
  missing_capability: { denialClass: "capability_denied", retryable: false },
  system_authority_not_allowed: { denialClass: "capability_denied", retryable: false },
  tenant_not_operable: { denialClass: "tenant_not_operable", retryable: true },
  provider_connection_invalid: { denialClass: "prerequisite_invalid", retryable: true },
  write_gate_blocked: { denialClass: "prerequisite_invalid", retryable: true },
  execution_prerequisite_invalid: { denialClass: "prerequisite_invalid", retryable: true },
} as const;

export type ReasonCode = keyof typeof denials;
export type DenialClass = (typeof denials)[ReasonCode]["denialClass"];

export function isReasonCode(code: string): code is ReasonCode {
  return Object.hasOwn(denials, code);
}

const codesInOrder = Object.keys(denials).filter(isReasonCode);

/** Lower comes first: of several failing checks the lowest is the headline. */
export function precedenceOf(code: ReasonCode): number {
  return codesInOrder.indexOf(code);
}

export const reasonCodes: readonly ReasonCode[] = codesInOrder;
