import { randomUUID } from "node:crypto";
import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying, sqlStateOf } from "../../db/retrying.ts";
import { grantPass } from "../authority/gate.ts";
import { contractOf } from "./catalog.ts";
import { type Intent, type IntentKey, isRepeatable, parseIntent, type SettledWrite } from "./intent.ts";
import { operationOf, type Run } from "./run.ts";
import { checkpoint, RunStopped, refusedByBackstop, type StopCause } from "./runEffect.ts";

/** How long (milliseconds) one writing call may take, counted from before its intent was sent. */
const writeBudget = 20_000;

/**
 * The worker gives a call up this much (milliseconds) before the deadline that revocations wait for: between its
 * last look at the clock and the socket it may be kept busy.
 */
const reserve = 500;

/**
 * What is to be sent: `name` is the same in every attempt. `credentialVersion`: of the credential that the caller
 * has opened to send it with.
 */
export type Call = { name: string; intent: Intent; credentialVersion: number };

/**
 * `intended`: the call may be made for as long as `leftMs` says so. `settled`: it was made before, and
 * that is how it ended. `unsettled`: an attempt before this one was lost with the call under way; after
 * `waitMs` it cannot be sent any more, and the provider may be asked what became of it. `outdated`: the gate
 * allows it under another credential than the caller's, which has been replaced meanwhile.
 */
export type Intended =
  | { kind: "intended"; key: IntentKey; leftMs(): number }
  | { kind: "settled"; settled: SettledWrite }
  | { kind: "unsettled"; key: IntentKey; intent: Intent; waitMs: number }
  | { kind: "outdated" };

type StoredEffect = {
  state: "in_flight" | SettledWrite["state"];
  idempotencyKey: string;
  intent: unknown;
  providerId: string | null;
  reason: string | null;
  waitMs: number;
};

/**
 * The first half of a provider write (handbook 2, "Provider writes"): gates, and stores the effect `in_flight`
 * with the keys and epochs it relies on and a deadline within which alone the call may be on the wire. A
 * revocation that commits later waits for that deadline or for the effect to be settled. Throws `RunStopped`
 * when authority is gone or a newer attempt has taken over; a call known to have failed is intended anew, and so is
 * one that may be made twice and of which it is not known whether it was.
 */
export async function intendWrite(db: Db, run: Run, call: Call): Promise<Intended> {
  const work = () => db.transaction((tx) => intendIn(tx, run, call), workerBounds);
  try {
    return stopped(await retrying(work));
  } catch (error) {
    if (sqlStateOf(error) !== refusedByBackstop) throw error;
    const answer = await retrying(() => db.transaction((tx) => checkpoint(tx, run), workerBounds));
    if (answer.kind === "allowed") throw error;
    throw new RunStopped(answer.kind);
  }
}

type Stopped = { kind: StopCause };

function stopped(intended: Intended | Stopped): Intended {
  switch (intended.kind) {
    case "denied":
    case "fenced":
    case "cancelled":
      throw new RunStopped(intended.kind);
    case "intended":
    case "settled":
    case "unsettled":
    case "outdated":
      return intended;
  }
}

async function intendIn(
  tx: Tx,
  run: Run,
  { name, intent, credentialVersion }: Call,
): Promise<Intended | Stopped> {
  // Before anything is sent: the local end must never be later than the one the database computes.
  const elapsed = startStopwatch();
  const gated = await checkpoint(tx, run);
  if (gated.kind !== "allowed") return gated;
  const before = await findEffect(tx, run.id, name);
  if (before !== undefined && !mayBeMadeAgain(before, intent)) return earlier(run.id, name, before);
  const pass = await grantPass(tx, run, contractOf(operationOf(run)).changesAuthority);
  const idempotencyKey = randomUUID();
  const remaining = await storeIntent(tx, [
    run.id,
    name,
    run.fencingToken,
    pass.keys,
    pass.epochs,
    gated.validUntil,
    writeBudget / 1_000,
    idempotencyKey,
    JSON.stringify(intent),
    before?.state === "unknown",
    run.connectionId,
    credentialVersion,
  ]);
  if (remaining === undefined) return { kind: "outdated" };
  const key = { runId: run.id, key: name, idempotencyKey };
  return { kind: "intended", key, leftMs: () => remaining - reserve - elapsed() };
}

/** Milliseconds since, by the clock that says more: one stands still while the host sleeps, the other can be set. */
function startStopwatch(): () => number {
  const [monotonic, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - monotonic, Date.now() - wall);
}

/** Not carried out; or not known to be, and twice is as good as once. */
function mayBeMadeAgain({ state }: StoredEffect, intent: Intent): boolean {
  return state === "failed" || (state === "unknown" && isRepeatable(intent));
}

function earlier(runId: string, name: string, effect: StoredEffect): Intended {
  const { state, providerId, reason, idempotencyKey, waitMs } = effect;
  if (state !== "in_flight") return { kind: "settled", settled: { state, id: providerId, reason } };
  const intent = parseIntent(effect.intent);
  return { kind: "unsettled", key: { runId, key: name, idempotencyKey }, intent, waitMs };
}

async function findEffect(tx: Tx, runId: string, key: string): Promise<StoredEffect | undefined> {
  const [row] = await tx.query<StoredEffect>(
    `select state, idempotency_key as "idempotencyKey", intent, provider_id as "providerId", reason,
       greatest(0, extract(epoch from deadline - clock_timestamp()) * 1000)::float8 as "waitMs"
     from effects where run_id = $1 and key = $2`,
    [runId, key],
  );
  return row;
}

/**
 * Returns how long (milliseconds) the call may take from the moment the database stored it; undefined when the
 * gate has looked at another credential. The connection's key is held, so it stays the one until the commit. An
 * unknown one is counted already.
 */
async function storeIntent(tx: Tx, values: readonly unknown[]): Promise<number | undefined> {
  const [row] = await tx.query<{ remaining: number }>(
    `with stored as (
       insert into effects (run_id, key, fencing_token, kind, state, authority_keys, epochs, valid_until,
         deadline, idempotency_key, intent)
       select $1::uuid, $2, $3::bigint, 'provider', 'in_flight', $4::bigint[], $5::bigint[],
         coalesce($6::timestamptz, 'infinity'),
         least(clock_timestamp() + make_interval(secs => $7), coalesce($6::timestamptz, 'infinity')),
         $8::uuid, $9::jsonb
       from provider_connections where id = $11 and credential_version = $12
       on conflict (run_id, key) do update set fencing_token = excluded.fencing_token, state = 'in_flight',
         authority_keys = excluded.authority_keys, epochs = excluded.epochs, valid_until = excluded.valid_until,
         deadline = excluded.deadline, idempotency_key = excluded.idempotency_key, intent = excluded.intent,
         provider_id = null, request_id = null, reason = null, settled_at = null
       returning deadline),
     counted as (
       update operation_runs set effects_unsettled = effects_unsettled + case when $10 then 0 else 1 end,
         heartbeat_at = clock_timestamp()
       where id = $1 and exists (select 1 from stored))
     select greatest(0, extract(epoch from deadline - clock_timestamp()) * 1000)::float8 as remaining
     from stored`,
    values,
  );
  return row?.remaining;
}
