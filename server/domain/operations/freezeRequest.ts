import { v7 as uuidv7 } from "uuid";
import type { Reader, Tx } from "../../db/database.ts";
import { policyTypes } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { Actor } from "../audit/recordAudit.ts";
import type { Decision } from "../authority/decide.ts";
import { contractOf, type OperationName } from "./catalog.ts";
import { digestOf, type FrozenScope, type Run } from "./run.ts";

/** Where a request came from. `retention` is the installation's own housekeeping; `bulk`: another run asked. */
export type RunTrigger = "page" | "command" | "schedule" | "retention" | "bulk";

/** What somebody, or the system, asks for. */
export type RunRequest = {
  operation: OperationName;
  workspaceId: string;
  tenantId: string | null;
  /** Null asks under system authority, to which the operation must consent. */
  initiator: Actor | null;
  trigger: RunTrigger;
  /** The same key from the same initiator is the same request: a double-clicked form makes one run. */
  requestKey: string | null;
  /** Hours until the request must have begun ("do not start after"). */
  expiresInHours: number;
  /** What it is to work on; needed by every operation that has a choice. */
  target?: JsonObject;
  /** The backup set it takes its items from. */
  backupSetId?: string;
  /** The schedule that asks; its run stops when it is paused or gone. */
  scheduleId?: string;
  /** The run that asks for it. */
  parentRunId?: string;
  /** The run that is asked for again: that takes `operations.rerun` where it stands, besides. */
  rerunOf?: string;
};

/** A run as it will be stored: nothing of what was asked for changes after this. */
export type FrozenRun = Run & { tenantName: string | null };

/** Fixes where a request may act and on what, with its digest, its connection and until when it must begin. */
export async function freezeRequest(reader: Reader, request: RunRequest): Promise<FrozenRun> {
  const [found] = await reader.query<{
    connectionId: string | null;
    tenantName: string | null;
    expiresAt: Date;
  }>(
    `select c.id as "connectionId", p.name as "tenantName",
       clock_timestamp() + make_interval(hours => $2) as "expiresAt"
     from (select $1::uuid as tenant_id) asked
     left join provider_connections c on c.tenant_id = asked.tenant_id
     left join tenant_profiles p on p.tenant_id = asked.tenant_id`,
    [request.tenantId, request.expiresInHours],
  );
  if (found === undefined) throw new Error("Freezing a request found no row.");
  const scope: FrozenScope = {
    operation: request.operation,
    workspaceId: request.workspaceId,
    tenantId: request.tenantId,
    connectionId: found.connectionId,
    target: targetOf(request),
  };
  return {
    ...scope,
    id: uuidv7(),
    tenantName: found.tenantName,
    authorityMode: request.initiator === null ? "system_authority" : "actor_bound",
    initiatorId: request.initiator?.id ?? null,
    initiatorName: request.initiator?.name ?? null,
    targetDigest: digestOf(scope),
    status: "queued",
    outcome: "pending",
    backupSetId: request.backupSetId ?? null,
    scheduleId: request.scheduleId ?? null,
    parentRunId: request.parentRunId ?? null,
    awaitsChildren: false,
    waitingReason: null,
    attempt: 0,
    maxAttempts: contractOf(request.operation).maxAttempts,
    fencingToken: "0",
    jobId: null,
    effectsDone: 0,
    expiresAt: found.expiresAt,
    startedAt: null,
    heartbeatAt: null,
    cancelRequestedAt: null,
    cancelledByName: null,
  };
}

/** What a request is to work on: what it says, or all there is for an operation that may be asked without. */
export function targetOf(request: Pick<RunRequest, "operation" | "target">): unknown {
  return request.target ?? wholeTenant(request.operation);
}

function wholeTenant(operation: OperationName): unknown {
  switch (operation) {
    case "inventory.sync":
    case "backup.create":
      return { types: policyTypes };
    case "provider.connection.verify":
      return {};
    case "restore.preview":
    case "restore.execute":
    case "tenants.bulk_sync":
    case "policies.bulk_assign":
    case "policies.bulk_delete":
    case "backups.bulk_delete":
      throw new Error(`${operation} was asked for without saying on what.`);
  }
}

/** Stores the run. False when the request's key is taken: the same request has been stored before. */
export async function insertRun(
  tx: Tx,
  request: RunRequest,
  run: FrozenRun,
  decision: Decision,
): Promise<boolean> {
  const rows = await tx.query<{ id: string }>(
    `insert into operation_runs (id, workspace_id, tenant_id, tenant_name, operation, authority_mode,
       initiator_id, initiator_name, trigger, request_key, connection_id, target, target_digest,
       request_checks, status, outcome, max_attempts, expires_at, requested_at, backup_set_id, writes_provider,
       schedule_id, rerun_of, parent_run_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'queued', 'pending', $15, $16, $17,
       $18, $19, $20, $21, $22)
     on conflict (workspace_id, initiator_id, request_key) where request_key is not null do nothing
     returning id`,
    [
      run.id,
      run.workspaceId,
      run.tenantId,
      run.tenantName,
      run.operation,
      run.authorityMode,
      run.initiatorId,
      run.initiatorName,
      request.trigger,
      request.requestKey,
      run.connectionId,
      JSON.stringify(run.target),
      run.targetDigest,
      JSON.stringify(decision.checks),
      run.maxAttempts,
      run.expiresAt,
      decision.decidedAt,
      run.backupSetId,
      contractOf(request.operation).operability === "write",
      run.scheduleId,
      request.rerunOf ?? null,
      run.parentRunId,
    ],
  );
  return rows.length > 0;
}
