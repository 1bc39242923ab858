import type { Tx } from "../../db/database.ts";

/** Keeps with schedules how the run ended that each asked for last; in the transaction that ends the runs. */
export async function noteOutcomes(
  tx: Tx,
  ended: readonly { run: { id: string; scheduleId: string | null }; ending: { outcome: string } }[],
): Promise<void> {
  const asked = ended.flatMap(({ run: { id, scheduleId }, ending: { outcome } }) =>
    scheduleId === null ? [] : [{ id, schedule_id: scheduleId, outcome }],
  );
  if (asked.length === 0) return;
  await tx.query(
    `update schedule_states s set last_outcome = e.outcome
     from jsonb_to_recordset($1::jsonb) as e (id uuid, schedule_id uuid, outcome text)
     where s.schedule_id = e.schedule_id and s.last_run_id = e.id`,
    [JSON.stringify(asked)],
  );
}
