import { setTimeout as wait } from "node:timers/promises";
import type { Reader, Tx } from "../../db/database.ts";

/**
 * What became of the writing calls that were under way: carried out before the change took hold, not carried
 * out (refused, or cut off at their deadline), or not known, to be looked at by somebody.
 */
export type Drained = { done: number; failed: number; unknown: number };

export const nothingDrained: Drained = { done: 0, failed: 0, unknown: 0 };

/** A writing call that has been intended and not settled. */
export type UnderWay = { runId: string; key: string; idempotencyKey: string };

const pollEvery = { first: 10, most: 100 };

/**
 * The writing calls intended under an older epoch of what this transaction has raised so far. It holds those keys,
 * so nobody intends one more under the old state of things; calls intended later were allowed under the new one
 * and are none of its business. Each run has one call under way at most, so there are never more than the workers
 * run at once.
 */
export function listUnderWay(tx: Tx): Promise<UnderWay[]> {
  return tx.query<UnderWay>(
    `select e.run_id as "runId", e.key, e.idempotency_key as "idempotencyKey"
     from effects e
     where e.state = 'in_flight' and exists (
       select 1 from unnest(e.authority_keys, e.epochs) as seen (key, epoch)
       join authority_epochs raised on raised.key = seen.key
       where raised.xid = pg_current_xact_id() and seen.epoch < raised.epoch)`,
  );
}

/**
 * Waits until each of these calls is settled or past its deadline, after which it cannot be sent any more, and says
 * how they ended. Bounded by the deadlines. Call it when what raised the epochs has been committed.
 */
export async function drainWrites(reader: Reader, calls: readonly UnderWay[]): Promise<Drained> {
  if (calls.length === 0) return nothingDrained;
  for (let pause = pollEvery.first; await anyOnTheWire(reader, calls); pause *= 2)
    await wait(Math.min(pause, pollEvery.most));
  return countEnds(reader, calls);
}

async function anyOnTheWire(reader: Reader, calls: readonly UnderWay[]): Promise<boolean> {
  const rows = await reader.query(
    `select 1 ${sameCalls} where e.state = 'in_flight' and e.deadline > clock_timestamp() limit 1`,
    [JSON.stringify(calls)],
  );
  return rows.length > 0;
}

async function countEnds(reader: Reader, calls: readonly UnderWay[]): Promise<Drained> {
  const [ends] = await reader.query<Drained>(
    `select count(*) filter (where e.state = 'done')::integer as done,
       count(*) filter (where e.state = 'failed')::integer as failed,
       count(*) filter (where e.state in ('unknown', 'in_flight'))::integer as unknown ${sameCalls}`,
    [JSON.stringify(calls)],
  );
  return ends ?? nothingDrained;
}

/** By idempotency key too: a call that failed may have been intended again, under the new state of things. */
const sameCalls = `from jsonb_to_recordset($1::jsonb) as c ("runId" uuid, key text, "idempotencyKey" uuid)
  join effects e on e.run_id = c."runId" and e.key = c.key and e.idempotency_key = c."idempotencyKey"`;
