import type { Db } from "../../server/db/database.ts";
import type { Checks } from "../../server/domain/authority/decide.ts";

export type RunRecord = {
  id: string;
  status: string;
  outcome: string;
  reasonCode: string | null;
  denialClass: string | null;
  startedAt: Date | null;
  completedAt: Date | null;
  attempt: number;
  effectsDone: number;
  tally: Record<string, number>;
  waitingReason: string | null;
  failureCode: string | null;
  failureMessage: string | null;
  lastError: string | null;
  nextAttemptAt: Date | null;
  fencingToken: string;
  repeats: number;
};

export async function getRun(db: Db, id: string): Promise<RunRecord> {
  const [run] = await db.query<RunRecord>(
    `select id, status, outcome, reason_code as "reasonCode", denial_class as "denialClass",
       started_at as "startedAt", completed_at as "completedAt", attempt, effects_done as "effectsDone", tally,
       waiting_reason as "waitingReason", failure_code as "failureCode", failure_message as "failureMessage",
       last_error as "lastError", next_attempt_at as "nextAttemptAt", fencing_token as "fencingToken", repeats
     from operation_runs where id = $1`,
    [id],
  );
  if (run === undefined) throw new Error(`There is no run ${id}.`);
  return run;
}

/** Within how many hours from its request a run may begin. */
export async function startsWithin(db: Db, id: string): Promise<number | undefined> {
  const [run] = await db.query<{ hours: number }>(
    `select round(extract(epoch from expires_at - requested_at) / 3600)::integer as hours
     from operation_runs where id = $1`,
    [id],
  );
  return run?.hours;
}

export function listDecisions(
  db: Db,
  runId: string,
): Promise<{ attempt: number; phase: string; verdict: string; reasonCode: string | null; checks: Checks }[]> {
  return db.query(
    `select attempt, phase, verdict, reason_code as "reasonCode", checks
     from execution_decisions where run_id = $1 order by id`,
    [runId],
  );
}

/** Audit actions about a subject, oldest first. */
export async function listActions(db: Db, subjectId: string): Promise<string[]> {
  const rows = await db.query<{ action: string }>(
    "select action from audit_events where subject_id = $1 order by at, id",
    [subjectId],
  );
  return rows.map((row) => row.action);
}

export function listNotifications(
  db: Db,
  runId: string,
): Promise<{ userId: string; content: Record<string, unknown> }[]> {
  return db.query(`select user_id as "userId", content from notifications where run_id = $1`, [runId]);
}

export async function count(
  db: Db,
  table: "effects" | "operation_runs" | "inventory_items" | "notifications",
): Promise<number> {
  const [row] = await db.query<{ n: number }>(`select count(*)::integer as n from ${table}`);
  return row?.n ?? 0;
}
