import type { Reader } from "../../db/database.ts";
import type { Checks } from "../authority/decide.ts";
import type { Phase } from "../authority/facts.ts";
import type { Viewer } from "../authority/viewer.ts";
import type { RunTrigger } from "./freezeRequest.ts";
import { type ListedRun, listedRunColumns, listedRunJoins } from "./listedRun.ts";
import { isResolved } from "./needsAttention.ts";
import { inRunScope, runScopeOf, scopeValues } from "./runScope.ts";

/** As they were kept: what an earlier release did not ask is not there. */
export type KeptChecks = Partial<Checks>;

export type KeptDecision = {
  attempt: number;
  phase: Phase;
  verdict: "allowed" | "denied";
  checks: KeptChecks;
  decidedAt: string;
};

/** A run with everything its page tells, in one read. */
export type ShownRun = ListedRun & {
  workspaceId: string;
  initiatorId: string | null;
  connectionId: string | null;
  trigger: RunTrigger;
  /** The schedule that asked for it, while there is one. */
  scheduleId: string | null;
  target: unknown;
  requestChecks: KeptChecks;
  expiresAt: Date;
  backupSetId: string | null;
  /** The run it asks for again. */
  rerunOf: string | null;
  /** Blocked, neither set aside nor followed by a success of its kind. */
  needsAttention: boolean;
  /** When somebody set it aside, and who. */
  dismissedAt: Date | null;
  dismissedByName: string | null;
  /** At begin and in mid-run, oldest first. */
  decisions: KeptDecision[];
  /** When its effects were recorded: the first and the last. */
  effects: { first: string; last: string } | null;
  notifiedAt: Date | null;
};

/** A run as far as the viewer may see operations where it stands; out of scope reads as absent. */
export async function findRunFor(
  reader: Reader,
  viewer: Viewer,
  runId: string,
): Promise<ShownRun | undefined> {
  const [run] = await reader.query<ShownRun>(
    `select ${listedRunColumns}, r.workspace_id as "workspaceId", r.initiator_id as "initiatorId",
       r.connection_id as "connectionId", r.trigger, sc.id as "scheduleId", r.target, r.request_checks as "requestChecks",
       r.expires_at as "expiresAt", r.backup_set_id as "backupSetId", r.rerun_of as "rerunOf",
       r.dismissed_at as "dismissedAt", r.dismissed_by_name as "dismissedByName",
       r.outcome = 'blocked' and r.dismissed_at is null and not ${isResolved} as "needsAttention",
       coalesce(decided.decisions, '[]') as decisions, done.effects, n.created_at as "notifiedAt"
     from operation_runs r ${listedRunJoins}
     left join schedules sc on sc.id = r.schedule_id
     left join lateral (
       select jsonb_agg(jsonb_build_object('attempt', e.attempt, 'phase', e.phase, 'verdict', e.verdict,
         'checks', e.checks, 'decidedAt', e.decided_at) order by e.id) as decisions
       from execution_decisions e where e.run_id = r.id and e.phase <> 'request'
     ) decided on true
     left join lateral (
       select jsonb_build_object('first', min(e.recorded_at), 'last', max(e.recorded_at)) as effects
       from effects e where e.run_id = r.id having count(*) > 0
     ) done on true
     left join notifications n on n.run_id = r.id and n.user_id = r.initiator_id and n.kind = 'run.outcome'
     where ${inRunScope} and r.id = $4`,
    [...scopeValues(runScopeOf(viewer)), runId],
  );
  return run;
}

/** An attempt that ended without ending its run, or the one that did. */
export type Interruption = {
  kind: "failed" | "worker_lost" | "handed_back" | "deferred" | "let_through";
  attempt: number;
  message: string | null;
  at: Date;
};

/** What kept a run waiting or ended an attempt, oldest first; messages were sanitized when they were kept. */
export async function listInterruptions(reader: Reader, runId: string): Promise<Interruption[]> {
  return reader.query<Interruption>(
    `select case action when 'run.handed_back' then 'handed_back' when 'run.deferred' then 'deferred'
         when 'run.let_through' then 'let_through' when 'run.worker_lost' then 'worker_lost'
         else 'failed' end as kind,
       (details ->> 'attempt')::integer as attempt, details ->> 'message' as message, at
     from audit_events
     where subject_type = 'run' and subject_id = $1
       and action in ('run.attempt_failed', 'run.worker_lost', 'run.handed_back', 'run.deferred',
         'run.let_through')
     order by id limit 100`,
    [runId],
  );
}

/** What happened to the person, their roles, the tenant or the connection: the latest entry of each. */
export type Change = {
  id: string;
  subjectType: "user" | "role" | "tenant" | "connection";
  /** Where the entry belongs, which decides who may see it. */
  tenantId: string | null;
  action: string;
  actorName: string | null;
  at: Date;
};

/** Between the request and `until`. Of roles, what concerns the capability that the operation needs. */
export async function listChangesSince(
  reader: Reader,
  run: ShownRun,
  capability: string | null,
  until: Date,
): Promise<Change[]> {
  return reader.query<Change>(
    `select distinct on (subject_type) id, subject_type as "subjectType", tenant_id as "tenantId", action,
       actor_name as "actorName", at
     from audit_events
     where workspace_id = $1 and at > $5 and at <= $6 and action not like 'session.%'
       and action <> 'access.refused' and outcome <> 'denied'
       and ((subject_type = 'user' and subject_id = $2) or (subject_type = 'tenant' and subject_id = $3)
         or (subject_type = 'connection' and subject_id = $4)
         or (subject_type = 'role' and subject_id = any (array(
             select role_id::text from role_assignments where workspace_id = $1 and user_id = $2::uuid))
           and (details -> 'added' ? $7 or details -> 'removed' ? $7)))
     order by subject_type, id desc`,
    [run.workspaceId, run.initiatorId, run.tenantId, run.connectionId, run.requestedAt, until, capability],
  );
}
