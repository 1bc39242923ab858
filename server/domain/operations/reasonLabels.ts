import type { ReasonCode } from "../authority/reasons.ts";

/** Why runs are blocked, as a short name to choose by; a run's own page says it in full. */
export const reasonLabels = {
  workspace_mismatch: "Workspace or target changed",
  initiator_missing: "Initiator deleted",
  initiator_not_entitled: "Initiator without access",
  tenant_missing: "Tenant deleted",
  tenant_not_entitled: "No role at the tenant",
  missing_capability: "Missing capability",
  system_authority_not_allowed: "Not for the system",
  tenant_not_operable: "Tenant’s lifecycle",
  provider_connection_invalid: "Connection not usable",
  write_gate_blocked: "Write gate",
  execution_prerequisite_invalid: "Other conditions",
} as const satisfies Record<ReasonCode, string>;
