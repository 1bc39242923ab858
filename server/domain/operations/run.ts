import { z } from "zod";
import { policyTypes, rolesOf } from "../../provider/policyTypes.ts";
import type { AuthorityMode } from "../authority/contract.ts";
import type { Deferral } from "../authority/decide.ts";
import type { Subject } from "../authority/gatherFacts.ts";
import { digestOfJson } from "../digest.ts";
import { contractOf, isOperationName, type OperationName } from "./catalog.ts";

export type RunStatus = "queued" | "running" | "completed";
export type Outcome = "pending" | "succeeded" | "partially_succeeded" | "blocked" | "failed" | "cancelled";

/** A run as the functions that move it along need it; pages have read models of their own. */
export type Run = {
  id: string;
  workspaceId: string;
  tenantId: string | null;
  operation: string;
  authorityMode: AuthorityMode;
  initiatorId: string | null;
  initiatorName: string | null;
  connectionId: string | null;
  target: unknown;
  targetDigest: string;
  status: RunStatus;
  outcome: Outcome;
  /** The set a restore takes its items from. */
  backupSetId: string | null;
  /** The schedule that asked for it. */
  scheduleId: string | null;
  /** The run that asked for it. */
  parentRunId: string | null;
  /** It has asked for all its children; the last of them to end ends it. */
  awaitsChildren: boolean;
  waitingReason: Deferral["kind"] | null;
  attempt: number;
  maxAttempts: number;
  /** A bigint, which reaches JavaScript as text. */
  fencingToken: string;
  jobId: string | null;
  effectsDone: number;
  expiresAt: Date;
  startedAt: Date | null;
  heartbeatAt: Date | null;
  /** Somebody asked to cancel it, by that name. */
  cancelRequestedAt: Date | null;
  cancelledByName: string | null;
};

/** The columns of `Run`, for every statement that reads one. */
export const runColumns = `id, workspace_id as "workspaceId", tenant_id as "tenantId", operation,
  authority_mode as "authorityMode", initiator_id as "initiatorId", initiator_name as "initiatorName",
  connection_id as "connectionId", target, target_digest as "targetDigest", status, outcome,
  waiting_reason as "waitingReason", attempt, max_attempts as "maxAttempts", fencing_token as "fencingToken",
  job_id as "jobId", effects_done as "effectsDone", expires_at as "expiresAt", heartbeat_at as "heartbeatAt",
  started_at as "startedAt", backup_set_id as "backupSetId", cancel_requested_at as "cancelRequestedAt",
  cancelled_by_name as "cancelledByName", schedule_id as "scheduleId",
  parent_run_id as "parentRunId", awaits_children as "awaitsChildren"`;

/** The name of a stored run's operation. Throws when this release's catalog no longer has it. */
export function operationOf(run: { id: string; operation: string }): OperationName {
  if (!isOperationName(run.operation))
    throw new Error(`Run ${run.id} asks for an operation this release does not have.`);
  return run.operation;
}

/** The question a gate asks about a stored run. */
export function subjectOf(run: Run): Subject {
  const contract = contractOf(operationOf(run));
  const target = frozenTarget.safeParse(run.target).data;
  const { planId, selectionId, digest } = target ?? {};
  return {
    id: run.id,
    contract,
    authorityMode: run.authorityMode,
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    initiatorId: run.initiatorId,
    connectionId: run.connectionId,
    requestExpiresAt: run.expiresAt,
    targetIntact: digestOf(run) === run.targetDigest,
    writeRoles: contract.prerequisites.includes("write_gate") ? writeRolesOf(target?.types ?? []) : [],
    hasBegun: run.startedAt !== null,
    backupSetId: run.backupSetId,
    scheduleId: run.scheduleId,
    plan: planId === undefined || digest === undefined ? null : { id: planId, digest },
    selection: selectionId === undefined || digest === undefined ? null : { id: selectionId, digest },
    tenantIds: run.tenantId === null ? (target?.tenantIds ?? []) : [],
  };
}

/** Of what an operation may have frozen, that which its authority depends on. */
const frozenTarget = z.object({
  types: z.array(z.enum(policyTypes)).optional(),
  planId: z.uuid().optional(),
  selectionId: z.uuid().optional(),
  tenantIds: z.array(z.uuid()).optional(),
  digest: z.string().optional(),
});

function writeRolesOf(types: readonly (typeof policyTypes)[number][]): string[] {
  return [...new Set(types.flatMap((type) => rolesOf[type].write))];
}

/** What a request froze: where it may act and on what. Stored with its digest and compared when it begins. */
export type FrozenScope = {
  operation: string;
  workspaceId: string;
  tenantId: string | null;
  connectionId: string | null;
  target: unknown;
};

export function digestOf(scope: FrozenScope): string {
  const { operation, workspaceId, tenantId, connectionId, target } = scope;
  return digestOfJson({ operation, workspaceId, tenantId, connectionId, target });
}
