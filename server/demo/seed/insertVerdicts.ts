import type { Tx } from "../../db/database.ts";
import { people } from "./cast.ts";
import { idAt } from "./ids.ts";
import { later, type ToldRun } from "./tellRun.ts";

/** Notifications older than this (hours) have been read. */
const unreadFor = 36;

/** What was decided about past runs, and who was told how they ended. */
export async function insertVerdicts(tx: Tx, told: readonly ToldRun[], now: Date): Promise<void> {
  await insertDecisions(tx, told);
  await insertNotifications(tx, told, later(now, -unreadFor * 3_600));
}

async function insertDecisions(tx: Tx, told: readonly ToldRun[]): Promise<void> {
  const rows = told.flatMap((run) =>
    run.kept.map(({ attempt, phase, decision }) => ({
      id: idAt(decision.decidedAt, "decision", `${run.id}/${phase}/${attempt}`),
      run_id: run.id,
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
            id: idAt(run.completedAt, "notification", run.id),
            user_id: by.id,
            run_id: run.id,
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
