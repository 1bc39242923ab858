import type { Tx } from "../../db/database.ts";
import { contractOf } from "../../domain/operations/catalog.ts";
import { digestOf } from "../../domain/operations/run.ts";
import { policyTypes } from "../../provider/policyTypes.ts";
import { auditOf, type PastEvent } from "./auditOf.ts";
import { people } from "./cast.ts";
import { pastRuns } from "./history.ts";
import { idAt } from "./ids.ts";
import { pastChanges } from "./pastChanges.ts";
import { tallyOf } from "./pastRun.ts";
import { later, type ToldRun, tellRun } from "./tellRun.ts";

/** Notifications older than this (hours) have been read. */
const unreadFor = 36;

/**
 * The runs of the days before, already ended, with their decisions, audit entries and notifications; in the
 * caller's transaction. They have tallies but no rows in `effects`: those carry a gate's proof, and no gate
 * allowed them.
 */
export async function insertHistory(tx: Tx, now: Date): Promise<void> {
  const told = pastRuns.map((run) => tellRun(run, now));
  await insertRuns(tx, told);
  await insertDecisions(tx, told);
  await insertNotifications(tx, told, later(now, -unreadFor * 3_600));
  const events = [...told.flatMap((run) => auditOf(run, runIdOf(run))), ...pastChanges(now)];
  await insertAudit(
    tx,
    events.sort((a, b) => a.at.getTime() - b.at.getTime()),
  );
}

function runIdOf({ requestedAt, operation, tenant }: ToldRun): string {
  return idAt(requestedAt, "run", `${operation}/${tenant.name}`);
}

async function insertRuns(tx: Tx, told: readonly ToldRun[]): Promise<void> {
  await tx.query(
    `insert into operation_runs (id, workspace_id, tenant_id, tenant_name, operation, authority_mode,
       initiator_id, initiator_name, trigger, connection_id, target, target_digest, request_checks, status,
       outcome, reason_code, denial_class, attempt, max_attempts, fencing_token, progress_done, tally,
       effects_done, failure_code, failure_message, last_error, repeats, last_repeat_at, expires_at,
       requested_at, started_at, completed_at, heartbeat_at)
     select id, workspace_id, tenant_id, tenant_name, operation, authority_mode, initiator_id,
       initiator_name, trigger, connection_id, target, target_digest, request_checks, 'completed', outcome,
       reason_code, denial_class, attempt, max_attempts, attempt, progress_done, tally, effects_done,
       failure_code, failure_message, last_error, repeats, last_repeat_at, expires_at, requested_at,
       started_at, completed_at, case when started_at is not null then completed_at end
     from jsonb_to_recordset($1::jsonb) as r (id uuid, workspace_id uuid, tenant_id uuid, tenant_name text,
       operation text, authority_mode text, initiator_id uuid, initiator_name text, trigger text,
       connection_id uuid, target jsonb, target_digest text, request_checks jsonb, outcome text,
       reason_code text, denial_class text, attempt integer, max_attempts integer, progress_done integer,
       tally jsonb, effects_done integer, failure_code text, failure_message text, last_error text,
       repeats integer, last_repeat_at timestamptz, expires_at timestamptz, requested_at timestamptz,
       started_at timestamptz, completed_at timestamptz)`,
    [JSON.stringify(told.map((run) => ({ ...requestRow(run), ...outcomeRow(run) })))],
  );
}

function requestRow(told: ToldRun) {
  const { operation, tenant, by } = told;
  const target = operation === "inventory.sync" ? { types: policyTypes } : {};
  const workspaceId = tenant.workspace.id;
  const connectionId = tenant.connection.id;
  return {
    id: runIdOf(told),
    workspace_id: workspaceId,
    tenant_id: tenant.id,
    tenant_name: tenant.name,
    operation,
    authority_mode: by === null ? "system_authority" : "actor_bound",
    initiator_id: by?.id ?? null,
    initiator_name: by?.name ?? null,
    trigger: by === null ? "command" : "page",
    connection_id: connectionId,
    target,
    target_digest: digestOf({ operation, workspaceId, tenantId: tenant.id, connectionId, target }),
    request_checks: told.atRequest.checks,
    max_attempts: contractOf(operation).maxAttempts,
    expires_at: told.expiresAt,
    requested_at: told.requestedAt,
  };
}

function outcomeRow({ end, denial, effects = [], faults, begunAt, completedAt }: ToldRun) {
  const repeats = end.outcome === "blocked" ? (end.repeats ?? 0) : 0;
  return {
    outcome: end.outcome,
    reason_code: denial?.reasonCode ?? null,
    denial_class: denial?.denialClass ?? null,
    attempt: begunAt.length,
    progress_done: effects.reduce((sum, { items }) => sum + items, 0),
    tally: tallyOf(effects),
    effects_done: effects.length,
    failure_code: end.outcome === "failed" ? end.code : null,
    failure_message: "message" in end ? end.message : null,
    last_error: faults?.message ?? null,
    repeats,
    // Asked again once a day, by something that keeps asking.
    last_repeat_at: repeats === 0 ? null : later(completedAt, repeats * 86_400),
    started_at: begunAt[0] ?? null,
    completed_at: completedAt,
  };
}

async function insertDecisions(tx: Tx, told: readonly ToldRun[]): Promise<void> {
  const rows = told.flatMap((run) =>
    run.kept.map(({ attempt, phase, decision }) => ({
      id: idAt(decision.decidedAt, "decision", `${runIdOf(run)}/${phase}/${attempt}`),
      run_id: runIdOf(run),
      attempt,
      phase,
      verdict: decision.verdict,
      denial_class: decision.verdict === "denied" ? decision.denialClass : null,
      reason_code: decision.verdict === "denied" ? decision.reasonCode : null,
      retryable: decision.verdict === "denied" && decision.retryable,
      checks: decision.checks,
      decided_at: decision.decidedAt,
    })),
  );
  await tx.query(
    `insert into execution_decisions
       (id, run_id, attempt, phase, verdict, denial_class, reason_code, retryable, checks, decided_at)
     select id, run_id, attempt, phase, verdict, denial_class, reason_code, retryable, checks, decided_at
     from jsonb_to_recordset($1::jsonb) as d (id uuid, run_id uuid, attempt integer, phase text, verdict text,
       denial_class text, reason_code text, retryable boolean, checks jsonb, decided_at timestamptz)`,
    [JSON.stringify(rows)],
  );
}

async function insertNotifications(tx: Tx, told: readonly ToldRun[], readBefore: Date): Promise<void> {
  const rows = told.flatMap(({ by, ...run }) =>
    by === null || !people.includes(by)
      ? []
      : [
          {
            id: idAt(run.completedAt, "notification", runIdOf({ by, ...run })),
            user_id: by.id,
            run_id: runIdOf({ by, ...run }),
            content: {
              operation: run.operation,
              outcome: run.end.outcome,
              reasonCode: run.denial?.reasonCode ?? null,
              changed: (run.effects ?? []).length > 0,
            },
            created_at: run.completedAt,
          },
        ],
  );
  await tx.query(
    `insert into notifications (id, user_id, run_id, kind, content, created_at, read_at)
     select id, user_id, run_id, 'run.outcome', content, created_at,
       case when created_at < $2 then created_at + interval '7 minutes' end
     from jsonb_to_recordset($1::jsonb)
       as n (id uuid, user_id uuid, run_id uuid, content jsonb, created_at timestamptz)`,
    [JSON.stringify(rows), readBefore],
  );
}

async function insertAudit(tx: Tx, events: readonly PastEvent[]): Promise<void> {
  const rows = events.map(({ actor, subject, ...event }, index) => ({
    ...event,
    id: idAt(event.at, "audit", String(index)),
    actor_id: actor?.id ?? null,
    actor_name: actor?.name ?? null,
    subject_type: subject.type,
    subject_id: subject.id,
  }));
  await tx.query(
    `insert into audit_events (id, workspace_id, tenant_id, actor_id, actor_name, action, subject_type,
       subject_id, outcome, details, at)
     select id, "workspaceId", "tenantId", actor_id, actor_name, action, subject_type, subject_id, outcome,
       details, at
     from jsonb_to_recordset($1::jsonb) as e (id uuid, "workspaceId" uuid, "tenantId" uuid, actor_id uuid,
       actor_name text, action text, subject_type text, subject_id text, outcome text, details jsonb,
       at timestamptz)`,
    [JSON.stringify(rows)],
  );
}
