import type { AuthorityMode } from "./contract.ts";
import type { Checks } from "./decide.ts";
import { denials, type ReasonCode } from "./reasons.ts";

/** What a verdict exports as (handbook 1): stable names, for records and for other programs. */
export type Verdict = {
  operation_type: string;
  authority_mode: AuthorityMode;
  allowed: boolean;
  retryable: boolean;
  reason_code: ReasonCode | null;
  denial_class: string | null;
  initiator: { identity_type: "user" | "system"; user_id: string | null };
  target_scope: { workspace_id: string; tenant_id: string | null; provider_connection_id: string | null };
  checks: Record<string, { result: string; at_request: string | null; now: string | null }>;
};

export type VerdictSource = {
  operation: string;
  authorityMode: AuthorityMode;
  reasonCode: ReasonCode | null;
  initiatorId: string | null;
  workspaceId: string;
  tenantId: string | null;
  connectionId: string | null;
  /** As kept: what an earlier release did not ask is not there. */
  requestChecks: Partial<Checks>;
  /** The checks of the latest decision after the request; null while there is none. */
  currentChecks: Partial<Checks> | null;
};

export function exportVerdict(source: VerdictSource): Verdict {
  const denial = source.reasonCode === null ? null : denials[source.reasonCode];
  const current = source.currentChecks ?? source.requestChecks;
  return {
    operation_type: source.operation,
    authority_mode: source.authorityMode,
    allowed: denial === null,
    retryable: denial?.retryable ?? false,
    reason_code: source.reasonCode,
    denial_class: denial?.denialClass ?? null,
    initiator: {
      identity_type: source.authorityMode === "actor_bound" ? "user" : "system",
      user_id: source.initiatorId,
    },
    target_scope: {
      workspace_id: source.workspaceId,
      tenant_id: source.tenantId,
      provider_connection_id: source.connectionId,
    },
    checks: Object.fromEntries(
      Object.entries(current).map(([name, check]) => [
        name,
        {
          result: check.result,
          at_request: requestValue(source.requestChecks, name),
          now: source.currentChecks === null ? null : check.value,
        },
      ]),
    ),
  };
}

function requestValue(checks: Partial<Checks>, name: string): string | null {
  return Object.entries(checks).find(([key]) => key === name)?.[1].value ?? null;
}
