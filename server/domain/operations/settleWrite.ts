import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { outlasting } from "../../db/outlasting.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { type Intent, type IntentKey, parseIntent, type SettledWrite } from "./intent.ts";
import type { EffectSummary } from "./runEffect.ts";

/**
 * Writes what became of an item once a call for it has ended, and says how the run's tally changes by it. Runs
 * in the settling transaction, in the worker or long after in the rescuer: it depends on nothing but its
 * arguments and the database. Counts may be negative, when an item that counted as done did not stay so.
 */
export type RecordSettled = (
  tx: Tx,
  settled: SettledWrite & { runId: string; item: Intent["item"]; action: Intent["action"] },
) => Promise<EffectSummary>;

type Ended = SettledWrite & { requestId: string | null };

type Place = { workspaceId: string; tenantId: string | null; operation: string; intent: unknown };

type Settled = Place & { before: "in_flight" | SettledWrite["state"] };

/**
 * The second half of a provider write: how the call ended. It asks nobody's leave, since it has happened; it is
 * the truth also for a run that has lost its authority or has ended. `record` is null for a call that will be
 * made again. Returns what is stored, which may be what somebody else found out first; only that it was done is
 * believed also after somebody read otherwise (too early, or not to be told from before), while the run goes on;
 * once it has ended, its account stays as it is, and the audit trail has the answer.
 */
export async function settleWrite(
  db: Db,
  key: IntentKey,
  ended: Ended,
  record: RecordSettled | null,
): Promise<SettledWrite> {
  return outlasting(() => db.transaction((tx) => settleIn(tx, key, ended, record), workerBounds));
}

async function settleIn(
  tx: Tx,
  key: IntentKey,
  ended: Ended,
  record: RecordSettled | null,
): Promise<SettledWrite> {
  // The run's row first, as every gate does, so that the two cannot wait for each other.
  await tx.query("select 1 from operation_runs where id = $1 for no key update", [key.runId]);
  const settled = await storeEnd(tx, key, ended);
  if (settled === undefined) return alreadySettled(tx, key, ended);
  const { state, id, reason } = ended;
  const intent = parseIntent(settled.intent);
  const summary =
    record === null
      ? { items: 0, counts: {} }
      : await record(tx, { runId: key.runId, item: intent.item, action: intent.action, state, id, reason });
  await countInRun(tx, key, { before: settled.before, state }, summary);
  await recordEnd(tx, key, settled, { state, message: reason });
  return { state, id, reason };
}

/** Somebody else has settled it: what is stored counts. */
async function alreadySettled(tx: Tx, key: IntentKey, ended: Ended): Promise<SettledWrite> {
  const { place, stored } = await getStored(tx, key);
  if (ended.state === "done" && stored.state === "failed")
    await recordEnd(tx, key, place, { state: "done", message: tooLate });
  return stored;
}

const tooLate = "The provider's answer came after the run had ended: it counts there as not carried out.";

async function recordEnd(
  tx: Tx,
  key: IntentKey,
  { workspaceId, tenantId, operation, intent }: Place,
  { state, message }: { state: SettledWrite["state"]; message: string | null },
): Promise<void> {
  await recordAudit(tx, {
    workspaceId,
    tenantId,
    actor: null,
    action: "run.effect",
    subject: { type: "run", id: key.runId },
    outcome: state === "done" ? "done" : "failed",
    details: { operation, effect: key.key, type: parseIntent(intent).type, state, message },
  });
}

async function storeEnd(tx: Tx, key: IntentKey, ended: Ended): Promise<Settled | undefined> {
  const [row] = await tx.query<Settled>(
    `update effects e set state = $4, provider_id = $5, request_id = $6, reason = $7,
       settled_at = clock_timestamp()
     from operation_runs r, effects before
     where e.run_id = $1 and e.key = $2 and e.idempotency_key = $3 and r.id = e.run_id
       and before.run_id = e.run_id and before.key = e.key
       and (e.state = 'in_flight' or (e.state = 'unknown' and $4 <> 'unknown')
         or (e.state = 'failed' and $4 = 'done' and r.status <> 'completed'))
     returning r.workspace_id as "workspaceId", r.tenant_id as "tenantId", r.operation, e.intent,
       before.state as before`,
    [
      key.runId,
      key.key,
      key.idempotencyKey,
      ended.state,
      ended.id,
      ended.requestId,
      ended.reason?.slice(0, 1_000) ?? null,
    ],
  );
  return row;
}

async function getStored(tx: Tx, key: IntentKey): Promise<{ place: Place; stored: SettledWrite }> {
  const [row] = await tx.query<SettledWrite & Place>(
    `select case e.state when 'in_flight' then 'unknown' else e.state end as state, e.provider_id as id, e.reason,
       r.workspace_id as "workspaceId", r.tenant_id as "tenantId", r.operation, e.intent
     from effects e join operation_runs r on r.id = e.run_id where e.run_id = $1 and e.key = $2`,
    [key.runId, key.key],
  );
  if (row === undefined) throw new Error(`Effect ${key.key} of run ${key.runId} was never intended.`);
  const { state, id, reason, ...place } = row;
  return { place, stored: { state, id, reason } };
}

/**
 * What is not known yet stays counted as unsettled: a page must not say that nothing was changed. No sign of life:
 * the rescuer settles too, for workers that are gone.
 */
async function countInRun(
  tx: Tx,
  key: IntentKey,
  { before, state }: { before: Settled["before"]; state: SettledWrite["state"] },
  { items, counts }: EffectSummary,
): Promise<void> {
  await tx.query(
    `with effect as (
       update effects set items = items + $4, summary = summed(summary, $5::jsonb)
       where run_id = $1 and key = $2)
     update operation_runs set effects_done = effects_done + case when $3 = 'done' then 1 else 0 end,
       effects_unsettled = effects_unsettled - case when $3 = 'unknown' or $6 = 'failed' then 0 else 1 end,
       progress_done = progress_done + $4, tally = summed(tally, $5::jsonb)
     where id = $1`,
    [key.runId, key.key, state, items, JSON.stringify(counts), before],
  );
}
