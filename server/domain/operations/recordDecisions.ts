import { v7 as uuidv7 } from "uuid";
import type { Tx } from "../../db/database.ts";
import type { Decision } from "../authority/decide.ts";
import type { Phase } from "../authority/facts.ts";

/**
 * Keeps verdicts with every check: one row when a run begins or is refused at request, and one for a denial
 * in mid-run. Allowed effects carry their own proof; a deferral is no verdict yet and leaves no row.
 */
export async function recordDecisions(
  tx: Tx,
  decisions: readonly { runId: string; attempt: number; phase: Phase; decision: Decision }[],
): Promise<void> {
  const rows = decisions.flatMap(({ runId, attempt, phase, decision }) =>
    decision.verdict === "deferred"
      ? []
      : [
          {
            id: uuidv7(),
            run_id: runId,
            attempt,
            phase,
            verdict: decision.verdict,
            denial_class: decision.verdict === "denied" ? decision.denialClass : null,
            reason_code: decision.verdict === "denied" ? decision.reasonCode : null,
            retryable: decision.verdict === "denied" && decision.retryable,
            checks: decision.checks,
            decided_at: decision.decidedAt,
          },
        ],
  );
  if (rows.length === 0) return;
  await tx.query(
    `insert into execution_decisions
       (id, run_id, attempt, phase, verdict, denial_class, reason_code, retryable, checks, decided_at)
     select id, run_id, attempt, phase, verdict, denial_class, reason_code, retryable, checks, decided_at
     from jsonb_to_recordset($1::jsonb) as d (id uuid, run_id uuid, attempt integer, phase text, verdict text,
       denial_class text, reason_code text, retryable boolean, checks jsonb, decided_at timestamptz)`,
    [JSON.stringify(rows)],
  );
}
