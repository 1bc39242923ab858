import type { Reader } from "../../db/database.ts";
import type { IntentKey } from "./intent.ts";

export type AbandonedWrite = {
  key: IntentKey;
  /** As it was stored, perhaps by another release: to be parsed by who settles it. */
  intent: unknown;
  operation: string;
  connectionId: string | null;
};

/** Calls looked at in one go; the rescuer comes again soon. */
const batch = 20;

/**
 * Writing calls that nobody has settled: past their deadline by a margin (milliseconds) in which their own
 * worker would have, or not known for that long but less than an hour, in case the provider can be asked now. Those
 * come last and in no order, so that many of which nothing can be found out keep none of the others waiting.
 */
export async function listAbandonedWrites(reader: Reader, margin: number): Promise<AbandonedWrite[]> {
  const rows = await reader.query<IntentKey & { intent: unknown; operation: string; connectionId: string }>(
    `select e.run_id as "runId", e.key, e.idempotency_key as "idempotencyKey", e.intent, r.operation,
       r.connection_id as "connectionId"
     from effects e join operation_runs r on r.id = e.run_id
     where e.state in ('in_flight', 'unknown')
       and e.deadline < clock_timestamp() - make_interval(secs => $1)
       and (e.state = 'in_flight' or e.settled_at
         between clock_timestamp() - interval '1 hour' and clock_timestamp() - make_interval(secs => $1))
     order by e.state = 'unknown', case e.state when 'in_flight' then e.deadline end, random() limit $2`,
    [margin / 1_000, batch],
  );
  return rows.map(({ intent, operation, connectionId, ...key }) => ({
    key,
    intent,
    operation,
    connectionId,
  }));
}
