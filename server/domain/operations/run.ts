import { createHash } from "node:crypto";
import type { AuthorityMode } from "../authority/contract.ts";
import type { Subject } from "../authority/gatherFacts.ts";
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
  waitingReason: "hold" | null;
  attempt: number;
  maxAttempts: number;
  /** A bigint, which reaches JavaScript as text. */
  fencingToken: string;
  jobId: string | null;
  effectsDone: number;
  expiresAt: Date;
  heartbeatAt: Date | null;
};

/** The columns of `Run`, for every statement that reads one. */
export const runColumns = `id, workspace_id as "workspaceId", tenant_id as "tenantId", operation,
  authority_mode as "authorityMode", initiator_id as "initiatorId", initiator_name as "initiatorName",
  connection_id as "connectionId", target, target_digest as "targetDigest", status, outcome,
  waiting_reason as "waitingReason", attempt, max_attempts as "maxAttempts", fencing_token as "fencingToken",
  job_id as "jobId", effects_done as "effectsDone", expires_at as "expiresAt", heartbeat_at as "heartbeatAt"`;

/** The name of a stored run's operation. Throws when this release's catalog no longer has it. */
export function operationOf(run: { id: string; operation: string }): OperationName {
  if (!isOperationName(run.operation))
    throw new Error(`Run ${run.id} asks for an operation this release does not have.`);
  return run.operation;
}

/** The question a gate asks about a stored run. */
export function subjectOf(run: Run): Subject {
  return {
    id: run.id,
    contract: contractOf(operationOf(run)),
    authorityMode: run.authorityMode,
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    initiatorId: run.initiatorId,
    connectionId: run.connectionId,
    requestExpiresAt: run.expiresAt,
    targetIntact: digestOf(run) === run.targetDigest,
    // No operation of the catalog writes at the provider yet.
    writeRoles: [],
  };
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
  const text = canonical({ operation, workspaceId, tenantId, connectionId, target });
  return createHash("sha256").update(text).digest("hex");
}

/** JSON with sorted keys: `jsonb` does not keep the order a target was written in. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
}
