import type { AuthorityMode } from "../authority/contract.ts";
import type { Checks } from "../authority/decide.ts";
import type { ReasonCode } from "../authority/reasons.ts";
import type { FailureCode } from "./finishRuns.ts";
import type { Outcome, RunStatus } from "./run.ts";

/** A run as lists and its own page read it, with what stands around it now. */
export type ListedRun = {
  id: string;
  operation: string;
  authorityMode: AuthorityMode;
  initiatorName: string | null;
  tenantId: string | null;
  /** Its name now, or when it was requested if it is gone or belongs to another workspace by now. */
  tenantName: string | null;
  /** In the workspace of the run. */
  tenantExists: boolean;
  status: RunStatus;
  outcome: Outcome;
  reasonCode: ReasonCode | null;
  attempt: number;
  maxAttempts: number;
  progressDone: number;
  progressTotal: number | null;
  tally: Record<string, number>;
  effectsDone: number;
  /** Calls to the provider of which it is not known (yet) whether they were carried out. */
  effectsUnsettled: number;
  failureCode: FailureCode | null;
  failureMessage: string | null;
  lastError: string | null;
  repeats: number;
  lastRepeatAt: Date | null;
  requestedAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
  heartbeatAt: Date | null;
  nextAttemptAt: Date | null;
  /** Running without a sign of life for half a minute. */
  isStuck: boolean;
  hold: { reason: string; by: string; until: string | null } | null;
  /** Those of the verdict that ended it, for blocked runs. */
  deniedChecks: Partial<Checks> | null;
};

/** Earlier than other workers take it up, so that a person sees it coming. */
export const isStuck = `r.status = 'running'
  and coalesce(r.heartbeat_at, r.started_at) < clock_timestamp() - interval '30 seconds'`;

export const listedRunColumns = `r.id, r.operation, r.authority_mode as "authorityMode",
  r.initiator_name as "initiatorName", r.tenant_id as "tenantId", coalesce(p.name, r.tenant_name) as "tenantName",
  t.id is not null as "tenantExists", r.status, r.outcome, r.reason_code as "reasonCode", r.attempt,
  r.max_attempts as "maxAttempts", r.progress_done as "progressDone", r.progress_total as "progressTotal", r.tally,
  r.effects_done as "effectsDone", r.effects_unsettled as "effectsUnsettled", r.failure_code as "failureCode", r.failure_message as "failureMessage",
  r.last_error as "lastError", r.repeats, r.last_repeat_at as "lastRepeatAt", r.requested_at as "requestedAt",
  r.started_at as "startedAt", r.completed_at as "completedAt", r.heartbeat_at as "heartbeatAt", r.next_attempt_at as "nextAttemptAt",
  ${isStuck} as "isStuck",
  case when h.tenant_id is not null then jsonb_build_object('reason', h.reason, 'by', h.placed_by_name,
    'until', h.until) end as hold,
  d.checks as "deniedChecks"`;

export const listedRunJoins = `left join tenants t on t.id = r.tenant_id and t.workspace_id = r.workspace_id
  left join tenant_profiles p on p.tenant_id = t.id
  left join tenant_holds h on h.tenant_id = t.id and r.status = 'queued'
    and (h.until is null or h.until > clock_timestamp())
  left join lateral (
    select e.checks from execution_decisions e
    where r.outcome = 'blocked' and e.run_id = r.id order by e.id desc limit 1
  ) d on true`;
