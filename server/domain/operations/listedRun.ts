import type { AuthorityMode } from "../authority/contract.ts";
import type { Checks } from "../authority/decide.ts";
import type { ReasonCode } from "../authority/reasons.ts";
import type { FailureCode } from "./ending.ts";
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
  /** When somebody asked to cancel it, and who. */
  cancelRequestedAt: Date | null;
  cancelledByName: string | null;
  /** Running without a sign of life for half a minute. */
  isStuck: boolean;
  /** The hold it waits for, the workspace's before the tenant's. */
  hold: { of: "tenant" | "workspace"; reason: string; by: string; until: string | null } | null;
  /** How many of its tenant's stand before it in line, counted to 101; null for what does not wait in one. */
  before: number | null;
  /** Those of the verdict that ended it, for blocked runs. */
  deniedChecks: Partial<Checks> | null;
};

/** Earlier than other workers take it up, so that a person sees it coming. */
export const isStuck = `r.status = 'running' and not r.awaits_children
  and coalesce(r.heartbeat_at, r.started_at) < clock_timestamp() - interval '30 seconds'`;

export const listedRunColumns = `r.id, r.operation, r.authority_mode as "authorityMode",
  r.initiator_name as "initiatorName", r.tenant_id as "tenantId", coalesce(p.name, r.tenant_name) as "tenantName",
  t.id is not null as "tenantExists", r.status, r.outcome, r.reason_code as "reasonCode", r.attempt,
  r.max_attempts as "maxAttempts", r.progress_done as "progressDone", r.progress_total as "progressTotal", r.tally,
  r.effects_done as "effectsDone", r.effects_unsettled as "effectsUnsettled", r.failure_code as "failureCode", r.failure_message as "failureMessage",
  r.last_error as "lastError", r.repeats, r.last_repeat_at as "lastRepeatAt", r.requested_at as "requestedAt",
  r.started_at as "startedAt", r.completed_at as "completedAt", r.heartbeat_at as "heartbeatAt", r.next_attempt_at as "nextAttemptAt",
  r.cancel_requested_at as "cancelRequestedAt", r.cancelled_by_name as "cancelledByName",
  ${isStuck} as "isStuck",
  case when h."of" is not null then jsonb_build_object('of', h."of", 'reason', h.reason, 'by', h."by",
    'until', h.until) end as hold,
  case when r.status = 'queued' and r.tenant_id is not null then runs_before(r) end as before,
  d.checks as "deniedChecks"`;

export const listedRunJoins = `left join tenants t on t.id = r.tenant_id and t.workspace_id = r.workspace_id
  left join tenant_profiles p on p.tenant_id = t.id
  left join lateral hold_over(r) h on r.status = 'queued'
  left join lateral (
    select e.checks from execution_decisions e
    where r.outcome = 'blocked' and e.run_id = r.id order by e.id desc limit 1
  ) d on true`;
