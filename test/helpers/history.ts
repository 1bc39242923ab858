import type { Db } from "../../server/db/database.ts";

/** What a run left behind, for tests that compare before and after. */

export type AuditRecord = {
  workspaceId: string | null;
  tenantId: string | null;
  actorId: string | null;
  action: string;
  outcome: string;
  details: Record<string, unknown>;
};

const auditColumns = `workspace_id as "workspaceId", tenant_id as "tenantId", actor_id as "actorId", action,
  outcome, details`;

/** Audit entries about a subject, oldest first. */
export function listAudit(db: Db, subjectId: string): Promise<AuditRecord[]> {
  return db.query(`select ${auditColumns} from audit_events where subject_id = $1 order by at, id`, [
    subjectId,
  ]);
}

/** The refusals recorded for one job of the queue. */
export function listRefusals(db: Db, jobId: string): Promise<AuditRecord[]> {
  return db.query(
    `select ${auditColumns} from audit_events where action = 'job.refused' and details ->> 'job' = $1`,
    [jobId],
  );
}

export function listEffects(
  db: Db,
  runId: string,
): Promise<{ key: string; attempt: number | null; fencingToken: string }[]> {
  return db.query(
    `select key, attempt, fencing_token as "fencingToken" from effects where run_id = $1
     order by recorded_at, key`,
    [runId],
  );
}

/** A tenant's inventory as it stands. */
export function listInventory(
  db: Db,
  tenantId: string,
): Promise<{ type: string; providerId: string; lastSeenToken: string; goneSince: Date | null }[]> {
  return db.query(
    `select type, provider_id as "providerId", last_seen_token as "lastSeenToken", gone_since as "goneSince"
     from inventory_items where tenant_id = $1 order by type, provider_id`,
    [tenantId],
  );
}

/** Lets the test database note every change of a run's state, whoever makes it; see `listTransitions`. */
export async function watchTransitions(db: Db): Promise<void> {
  await db.query(`
    create table transitions (at bigint generated always as identity, run_id uuid, became text);
    create function note_transition() returns trigger language plpgsql as $$
    begin
      insert into transitions (run_id, became)
      values (new.id, case new.status when 'completed' then new.outcome else new.status end);
      return null;
    end $$;
    create trigger note_transition after update on operation_runs for each row
      when ((old.status, old.outcome) is distinct from (new.status, new.outcome))
      execute function note_transition();
  `);
}

/** The states a run went through after it was queued, in order. */
export async function listTransitions(db: Db, runId: string): Promise<string[]> {
  const rows = await db.query<{ became: string }>(
    "select became from transitions where run_id = $1 order by at",
    [runId],
  );
  return rows.map((row) => row.became);
}
