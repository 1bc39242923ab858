import { setTimeout as wait } from "node:timers/promises";
import type { Reader, Tx } from "../../db/database.ts";

/** A key that a change of authority raised, and to which epoch; both bigints, as text. */
export type Raised = { key: string; epoch: string };

/**
 * What became of the writing calls that were under way: carried out before the change took hold, not carried
 * out (refused, or cut off at their deadline), or not known, to be looked at by somebody.
 */
export type Drained = { done: number; failed: number; unknown: number };

export const nothingDrained: Drained = { done: 0, failed: 0, unknown: 0 };

type UnderWay = { runId: string; key: string; idempotencyKey: string };

const pollEvery = { first: 10, most: 100 };

/** What the transaction has raised so far; every key once. */
export function listRaised(tx: Tx): Promise<Raised[]> {
  return tx.query<Raised>("select key, epoch from authority_epochs where xid = pg_current_xact_id()");
}

/**
 * Waits until every writing call that was intended under an older epoch of these keys is settled or past its
 * deadline, after which it cannot be sent any more. Bounded by the deadlines. Calls intended later were
 * allowed under the new state of things and are none of its business.
 */
export async function drainWrites(reader: Reader, raised: readonly Raised[]): Promise<Drained> {
  if (raised.length === 0) return nothingDrained;
  const calls = await listUnderWay(reader, raised);
  if (calls.length === 0) return nothingDrained;
  for (let pause = pollEvery.first; await anyOnTheWire(reader, calls); pause *= 2)
    await wait(Math.min(pause, pollEvery.most));
  return countEnds(reader, calls);
}

/** Each run has one call under way at most, so there are never more than the workers run at once. */
function listUnderWay(reader: Reader, raised: readonly Raised[]): Promise<UnderWay[]> {
  return reader.query<UnderWay>(
    `select e.run_id as "runId", e.key, e.idempotency_key as "idempotencyKey"
     from effects e
     where e.state = 'in_flight' and exists (
       select 1 from unnest(e.authority_keys, e.epochs) as seen (key, epoch)
       join jsonb_to_recordset($1::jsonb) as raised (key bigint, epoch bigint) on raised.key = seen.key
       where seen.epoch < raised.epoch)`,
    [JSON.stringify(raised)],
  );
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
