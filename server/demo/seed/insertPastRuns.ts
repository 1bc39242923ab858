import type { Tx } from "../../db/database.ts";
import { contractOf } from "../../domain/operations/catalog.ts";
import { targetOf } from "../../domain/operations/freezeRequest.ts";
import { digestOf } from "../../domain/operations/run.ts";
import { auditOf, triggerOf } from "./auditOf.ts";
import { insertAudit } from "./insertAudit.ts";
import { insertVerdicts } from "./insertVerdicts.ts";
import { tallyOf } from "./pastRun.ts";
import { later, type ToldRun } from "./tellRun.ts";

/**
 * Runs of the days before, already ended, with their decisions, audit entries and notifications; in the
 * caller's transaction. They have tallies but no rows in `effects`: those carry a gate's proof, and no gate
 * allowed them.
 */
export async function insertPastRuns(tx: Tx, told: readonly ToldRun[], now: Date): Promise<void> {
  await insertRuns(tx, told);
  await insertVerdicts(tx, told, now);
  await insertAudit(tx, told.flatMap(auditOf));
}

async function insertRuns(tx: Tx, told: readonly ToldRun[]): Promise<void> {
  await tx.query(
    `insert into operation_runs (id, workspace_id, tenant_id, tenant_name, operation, authority_mode,
       initiator_id, initiator_name, trigger, connection_id, target, target_digest, request_checks, status,
       outcome, reason_code, denial_class, attempt, max_attempts, fencing_token, progress_done, tally,
       effects_done, failure_code, failure_message, last_error, repeats, last_repeat_at, expires_at,
       requested_at, started_at, completed_at, heartbeat_at, progress_total, schedule_id, backup_set_id, rerun_of,
       writes_provider, cancel_requested_at, cancelled_by, cancelled_by_name)
     select id, workspace_id, tenant_id, tenant_name, operation, authority_mode, initiator_id,
       initiator_name, trigger, connection_id, target, target_digest, request_checks, 'completed', outcome,
       reason_code, denial_class, attempt, max_attempts, attempt, progress_done, tally, effects_done,
       failure_code, failure_message, last_error, repeats, last_repeat_at, expires_at, requested_at,
       started_at, completed_at, case when started_at is not null then completed_at end, progress_total,
       schedule_id, backup_set_id, rerun_of, writes_provider, cancel_requested_at, cancelled_by,
       cancelled_by_name
     from jsonb_to_recordset($1::jsonb) as r (id uuid, workspace_id uuid, tenant_id uuid, tenant_name text,
       operation text, authority_mode text, initiator_id uuid, initiator_name text, trigger text,
       connection_id uuid, target jsonb, target_digest text, request_checks jsonb, outcome text,
       reason_code text, denial_class text, attempt integer, max_attempts integer, progress_done integer,
       tally jsonb, effects_done integer, failure_code text, failure_message text, last_error text,
       repeats integer, last_repeat_at timestamptz, expires_at timestamptz, requested_at timestamptz,
       started_at timestamptz, completed_at timestamptz, progress_total integer, schedule_id uuid,
       backup_set_id uuid, rerun_of uuid, writes_provider boolean, cancel_requested_at timestamptz,
       cancelled_by uuid, cancelled_by_name text)`,
    [JSON.stringify(told.map((run) => ({ ...requestRow(run), ...outcomeRow(run) })))],
  );
}

function requestRow(told: ToldRun) {
  const { operation, tenant, by } = told;
  const target = targetOf({ operation, ...(told.target && { target: told.target }) });
  const workspaceId = tenant.workspace.id;
  const connectionId = tenant.connection.id;
  return {
    id: told.id,
    workspace_id: workspaceId,
    tenant_id: tenant.id,
    tenant_name: tenant.name,
    operation,
    authority_mode: by === null ? "system_authority" : "actor_bound",
    initiator_id: by?.id ?? null,
    initiator_name: by?.name ?? null,
    trigger: triggerOf(told),
    connection_id: connectionId,
    schedule_id: told.schedule?.id ?? null,
    backup_set_id: told.sourceId,
    rerun_of: told.earlierId,
    writes_provider: contractOf(operation).operability === "write",
    target,
    target_digest: digestOf({ operation, workspaceId, tenantId: tenant.id, connectionId, target }),
    request_checks: told.atRequest.checks,
    max_attempts: contractOf(operation).maxAttempts,
    expires_at: told.expiresAt,
    requested_at: told.requestedAt,
  };
}

function outcomeRow({ end, denial, effects = [], faults, total, begunAt, completedAt }: ToldRun) {
  const repeats = end.outcome === "blocked" ? (end.repeats ?? 0) : 0;
  return {
    outcome: end.outcome,
    reason_code: denial?.reasonCode ?? null,
    denial_class: denial?.denialClass ?? null,
    attempt: begunAt.length,
    progress_done: effects.reduce((sum, { items }) => sum + items, 0),
    progress_total: total ?? null,
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
    ...(end.outcome === "cancelled" && {
      cancel_requested_at: completedAt,
      cancelled_by: end.by.id,
      cancelled_by_name: end.by.name,
    }),
  };
}
