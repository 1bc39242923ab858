import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying, sqlStateOf } from "../../db/retrying.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { grantPass, type Pass } from "../authority/gate.ts";
import { drainWrites, listUnderWay, type UnderWay } from "../revocation/drainWrites.ts";
import { cancellationOf } from "./cancellation.ts";
import { contractOf } from "./catalog.ts";
import { finishRuns } from "./finishRuns.ts";
import { gateRuns } from "./gateRuns.ts";
import { recordDecisions } from "./recordDecisions.ts";
import { operationOf, type Run } from "./run.ts";

/** What an effect did: how many items, and counts by name that add up to the run's tally. */
export type EffectSummary = { items: number; counts: Record<string, number> };

/** Thrown into a task whose run may not go on; the run's state already says so. Tasks must not catch it. */
export class RunStopped extends Error {
  override readonly name = "RunStopped";
  readonly because: StopCause;
  constructor(because: StopCause) {
    super(stopWords[because]);
    this.because = because;
  }
}

/** Why a run under way may have no further effect. */
export type StopCause = "denied" | "fenced" | "cancelled";

const stopWords = {
  denied: "The run's authority ended.",
  fenced: "A newer attempt has taken over.",
  cancelled: "Somebody cancelled the run.",
} as const satisfies Record<StopCause, string>;

export type EffectKey = {
  name: string;
  /** Only this attempt builds on it; the next one does it again. */
  perAttempt: boolean;
  /** The backup sets it takes away: those who rely on them are stopped by it. */
  backups?: readonly string[];
};

type Verdict = { kind: "done"; underWay: UnderWay[] } | { kind: "skipped" | StopCause };

/**
 * One effect on our own rows: a transaction that gates, does `work`, and records the effect with the keys and
 * epochs it relied on, which the backstop checks again at commit. Recorded once per run and key: a retry or a
 * redelivery skips what is done. Ends the run `blocked` and throws `RunStopped` when authority is gone, and
 * `RunStopped` when the attempt is not the run's present one. `work` may be called again if the transaction
 * loses a lock; it must not do network I/O.
 */
export async function runEffect(
  db: Db,
  run: Run,
  key: EffectKey,
  work: (tx: Tx) => Promise<EffectSummary>,
): Promise<void> {
  const verdict = await attemptEffect(db, run, key, work);
  if (verdict.kind === "skipped") return;
  if (verdict.kind !== "done") throw new RunStopped(verdict.kind);
  // What it changed may have been a revocation for others: as for any, it is over when their calls are.
  await drainWrites(db, verdict.underWay);
}

async function attemptEffect(
  db: Db,
  run: Run,
  key: EffectKey,
  work: (tx: Tx) => Promise<EffectSummary>,
): Promise<Verdict> {
  try {
    return await retrying(() => db.transaction((tx) => effectIn(tx, run, key, work), workerBounds));
  } catch (error) {
    if (sqlStateOf(error) !== refusedByBackstop) throw error;
    // The backstop only refuses; what that means for the run is the gate's to say. If the gate still allows
    // it, the effect itself was at fault.
    const answer = await retrying(() => db.transaction((tx) => checkpoint(tx, run), workerBounds));
    if (answer.kind === "allowed") throw error;
    return answer;
  }
}

/** The SQLSTATE with which the database refuses an effect without authority. */
export const refusedByBackstop = "42501";

async function effectIn(
  tx: Tx,
  run: Run,
  key: EffectKey,
  work: (tx: Tx) => Promise<EffectSummary>,
): Promise<Verdict> {
  const operation = contractOf(operationOf(run));
  const gated = await checkpoint(tx, run, key.backups);
  if (gated.kind !== "allowed") return { kind: gated.kind };
  // By token, not by number: an attempt that was handed back comes again under the same number.
  const storedKey = key.perAttempt ? `attempt:${run.fencingToken}:${key.name}` : key.name;
  if (await isRecorded(tx, run.id, storedKey)) return { kind: "skipped" };
  const pass = await grantPass(tx, run, operation.changesAuthority, key.backups);
  const summary = await work(tx);
  await recordEffect(tx, run, { ...key, storedKey }, pass, gated.validUntil, summary);
  return { kind: "done", underWay: operation.changesAuthority.length === 0 ? [] : await listUnderWay(tx) };
}

export type Checkpoint = { kind: "allowed"; validUntil: Date | null } | { kind: StopCause };

/**
 * Gates a run that is under way. A denial is written here, in the same transaction: the run ends `blocked`
 * with what had been done, one decision, one audit entry, one notification. So is a cancellation, which needs
 * no decision.
 */
export async function checkpoint(tx: Tx, run: Run, backups: readonly string[] = []): Promise<Checkpoint> {
  const [answer] = await gateRuns(tx, [run.id], "checkpoint", { operation: operationOf(run), backups });
  if (answer === undefined || answer.run.status !== "running") return { kind: "fenced" };
  if (answer.run.fencingToken !== run.fencingToken) return { kind: "fenced" };
  const cancellation = cancellationOf(answer.run);
  if (cancellation !== null) {
    await finishRuns(tx, [{ run: answer.run, ending: cancellation }]);
    return { kind: "cancelled" };
  }
  const { decision } = answer;
  if (decision === null || decision.verdict === "deferred")
    throw new Error("A run under way is either allowed to go on or not.");
  if (decision.verdict === "allowed") return { kind: "allowed", validUntil: decision.validUntil };
  const { reasonCode, denialClass } = decision;
  await recordDecisions(tx, [{ runId: run.id, attempt: run.attempt, phase: "checkpoint", decision }]);
  await finishRuns(tx, [{ run: answer.run, ending: { outcome: "blocked", reasonCode, denialClass } }]);
  return { kind: "denied" };
}

async function isRecorded(tx: Tx, runId: string, key: string): Promise<boolean> {
  const rows = await tx.query("select 1 from effects where run_id = $1 and key = $2", [runId, key]);
  return rows.length > 0;
}

async function recordEffect(
  tx: Tx,
  run: Run,
  key: EffectKey & { storedKey: string },
  pass: Pass,
  validUntil: Date | null,
  summary: EffectSummary,
): Promise<void> {
  await tx.query(
    `with effect as (
       insert into effects (run_id, key, fencing_token, attempt, kind, state, authority_keys, epochs,
         valid_until, items, summary)
       values ($1, $2, $3, $4, 'rows', 'done', $5::bigint[], $6::bigint[],
         coalesce($7::timestamptz, 'infinity'), $8, $9::jsonb))
     update operation_runs set effects_done = effects_done + 1, progress_done = progress_done + $8,
       heartbeat_at = clock_timestamp(),
       tally = summed(tally, $9::jsonb)
     where id = $1`,
    [
      run.id,
      key.storedKey,
      run.fencingToken,
      key.perAttempt ? run.attempt : null,
      pass.keys,
      pass.epochs,
      validUntil,
      summary.items,
      JSON.stringify(summary.counts),
    ],
  );
  await recordAudit(tx, {
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    actor: null,
    action: "run.effect",
    subject: { type: "run", id: run.id },
    outcome: "done",
    details: { operation: run.operation, attempt: run.attempt, effect: key.name, ...summary.counts },
  });
}
