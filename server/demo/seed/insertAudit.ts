import type { Tx } from "../../db/database.ts";
import type { PastEvent } from "./auditOf.ts";
import { idAt } from "./ids.ts";

/** Audit entries of the past, in the order of their time; in the caller's transaction. */
export async function insertAudit(tx: Tx, events: readonly PastEvent[]): Promise<void> {
  const inOrder = [...events].sort((a, b) => a.at.getTime() - b.at.getTime());
  const rows = inOrder.map(({ actor, subject, ...event }, index) => ({
    ...event,
    id: idAt(event.at, "audit", `${event.action}/${subject.id}/${index}`),
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
