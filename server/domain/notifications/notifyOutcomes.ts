import { v7 as uuidv7 } from "uuid";
import type { Tx } from "../../db/database.ts";
import type { ReasonCode } from "../authority/reasons.ts";

/** What a notification keeps: names are looked up when it is read, by what its reader may see then. */
export type OutcomeContent = {
  operation: string;
  outcome: string;
  reasonCode: ReasonCode | null;
  changed: boolean;
};

/**
 * Tells each initiator how their run ended, once per run, in the transaction that ended it. Callers pass
 * actor-bound runs only: a system run notifies nobody, ever. An initiator who was deleted hears nothing.
 */
export async function notifyOutcomes(
  tx: Tx,
  outcomes: readonly { runId: string; userId: string; content: OutcomeContent }[],
): Promise<void> {
  if (outcomes.length === 0) return;
  // The lock waits for an account that is being deleted this moment, instead of failing on its foreign key.
  await tx.query(
    `insert into notifications (id, user_id, run_id, kind, content)
     select n.id, n.user_id, n.run_id, 'run.outcome', n.content
     from jsonb_to_recordset($1::jsonb) as n (id uuid, user_id uuid, run_id uuid, content jsonb)
     join users u on u.id = n.user_id
     for key share of u
     on conflict (user_id, run_id, kind) do nothing`,
    [
      JSON.stringify(
        outcomes.map(({ runId, userId, content }) => ({
          id: uuidv7(),
          run_id: runId,
          user_id: userId,
          content,
        })),
      ),
    ],
  );
}
