import { v7 as uuidv7 } from "uuid";
import type { Tx } from "../../db/database.ts";

/** Whoever did it. Null stands for the system; the name is a snapshot, because people get renamed and deleted. */
export type Actor = { id: string; name: string };

export type AuditEvent = {
  workspaceId: string | null;
  tenantId: string | null;
  actor: Actor | null;
  /** What was done, as `noun.verb`: `run.requested`, `member.role_changed`, `access.refused`. */
  action: string;
  subject: {
    type:
      | "run"
      | "user"
      | "role"
      | "tenant"
      | "connection"
      | "workspace"
      | "session"
      | "page"
      | "backup"
      | "schedule"
      | "installation";
    id: string | null;
  };
  outcome: "done" | "allowed" | "denied" | "failed";
  /** What changed (`before`, `after`) and why; never secrets. */
  details?: Record<string, unknown>;
};

/** Writes audit entries in the transaction of what they record. Returns their ids, in order. */
export async function recordAudit(tx: Tx, ...events: AuditEvent[]): Promise<string[]> {
  const rows = events.map((event) => ({
    id: uuidv7(),
    workspace_id: event.workspaceId,
    tenant_id: event.tenantId,
    actor_id: event.actor?.id ?? null,
    actor_name: event.actor?.name ?? null,
    action: event.action,
    subject_type: event.subject.type,
    subject_id: event.subject.id,
    outcome: event.outcome,
    details: event.details ?? {},
  }));
  if (rows.length === 0) return [];
  await tx.query(
    `insert into audit_events
       (id, workspace_id, tenant_id, actor_id, actor_name, action, subject_type, subject_id, outcome, details)
     select id, workspace_id, tenant_id, actor_id, actor_name, action, subject_type, subject_id, outcome, details
     from jsonb_to_recordset($1::jsonb) as e (id uuid, workspace_id uuid, tenant_id uuid, actor_id uuid,
       actor_name text, action text, subject_type text, subject_id text, outcome text, details jsonb)`,
    [JSON.stringify(rows)],
  );
  return rows.map((row) => row.id);
}
