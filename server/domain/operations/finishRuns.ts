import type { Tx } from "../../db/database.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import { notifyOutcomes } from "../notifications/notifyOutcomes.ts";
import { noteOutcomes } from "../schedules/noteOutcomes.ts";
import type { Ending } from "./ending.ts";
import type { Run } from "./run.ts";
import { settleParents } from "./settleParents.ts";
import { shareTurns, wakeNext } from "./tenantLine.ts";

/**
 * Ends runs: the terminal state, its audit entry and, for actor-bound runs, the initiator's notification, all
 * in the caller's transaction. Only a run that still carries the given fencing token and has not ended is
 * touched, so a stale attempt ends nothing and of parallel endings one wins. A parent whose last child ends so ends
 * with it. Returns the ids that were ended.
 */
export async function finishRuns(
  tx: Tx,
  endings: readonly { run: Run; ending: Ending }[],
): Promise<Set<string>> {
  if (endings.length === 0) return new Set();
  await shareTurns(
    tx,
    endings.map(({ run }) => run.id),
  );
  const ended = await updateRuns(tx, endings);
  const effects = new Map(ended.map((row) => [row.id, row.effectsDone]));
  await wakeNext(
    tx,
    endings.flatMap(({ run }) => run.tenantId ?? []),
  );
  const told = endings.filter(({ run }) => effects.has(run.id));
  await recordAudit(tx, ...told.map(({ run, ending }) => auditOf(run, ending, effects.get(run.id) ?? 0)));
  await notifyOutcomes(
    tx,
    told.flatMap(({ run, ending }) =>
      run.authorityMode !== "actor_bound" || run.initiatorId === null
        ? []
        : [
            {
              runId: run.id,
              userId: run.initiatorId,
              content: {
                operation: run.operation,
                outcome: ending.outcome,
                reasonCode: ending.outcome === "blocked" ? ending.reasonCode : null,
                changed: (effects.get(run.id) ?? 0) > 0,
              },
            },
          ],
    ),
  );
  await noteOutcomes(tx, told);
  await finishRuns(tx, await settleParents(tx, parentsOf(told)));
  return new Set(effects.keys());
}

function parentsOf(ended: readonly { run: Run }[]): string[] {
  return [...new Set(ended.flatMap(({ run }) => run.parentRunId ?? []))];
}

function updateRuns(tx: Tx, endings: readonly { run: Run; ending: Ending }[]) {
  return tx.query<{ id: string; effectsDone: number }>(
    `update operation_runs r set status = 'completed', outcome = e.outcome, reason_code = e.reason_code,
       denial_class = e.denial_class, failure_code = e.failure_code, failure_message = e.message,
       waiting_reason = null, next_attempt_at = null, awaits_children = false,
       completed_at = clock_timestamp()
     from jsonb_to_recordset($1::jsonb) as e (id uuid, token bigint, outcome text, reason_code text,
       denial_class text, failure_code text, message text)
     where r.id = e.id and r.fencing_token = e.token and r.status <> 'completed'
     returning r.id, r.effects_done as "effectsDone"`,
    [
      JSON.stringify(
        endings.map(({ run, ending }) => ({
          id: run.id,
          token: run.fencingToken,
          outcome: ending.outcome,
          reason_code: ending.outcome === "blocked" ? ending.reasonCode : null,
          denial_class: ending.outcome === "blocked" ? ending.denialClass : null,
          failure_code: ending.outcome === "failed" ? ending.code : null,
          message: "message" in ending ? ending.message.slice(0, 1000) : null,
        })),
      ),
    ],
  );
}

function auditOf(run: Run, ending: Ending, effectsDone: number): AuditEvent {
  return {
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    // The initiator asked; that it ended, and how, is the system's doing.
    actor: null,
    action: `run.${ending.outcome}`,
    subject: { type: "run", id: run.id },
    outcome: ending.outcome === "blocked" ? "denied" : ending.outcome === "failed" ? "failed" : "done",
    details: { operation: run.operation, attempt: run.attempt, effects: effectsDone, ...ending },
  };
}
