import { markRolesMissing } from "../server/domain/connections/markRolesMissing.ts";
import { type Intended, intendWrite } from "../server/domain/operations/intendWrite.ts";
import {
  type Intent,
  type IntentKey,
  isRepeatable,
  type SettledWrite,
} from "../server/domain/operations/intent.ts";
import type { Run } from "../server/domain/operations/run.ts";
import { type RecordSettled, settleWrite } from "../server/domain/operations/settleWrite.ts";
import { rolesOf } from "../server/provider/policyTypes.ts";
import { type JsonObject, type PolicyWrite, ProviderError } from "../server/provider/port.ts";
import type { WorkerDeps } from "./deps.ts";
import { findOut } from "./findOut.ts";
import { AuthorityDoubted } from "./liveAttempts.ts";
import { lookPatiently, waitUnless } from "./lookPatiently.ts";
import type { OpenProvider } from "./openProvider.ts";

/** One writing call of a run. `name` is the same in every attempt: what is settled is not done again. */
export type ProviderEffect = {
  name: string;
  write: PolicyWrite;
  matchKey: string;
  before: string | null;
  after: string | null;
  item: JsonObject;
};

type Writing = {
  deps: WorkerDeps;
  run: Run;
  /** Stops everything between two calls. A call on the wire is bounded by its own deadline and waited for. */
  signal: AbortSignal;
  provider: OpenProvider;
  record: RecordSettled;
};

/** A call that was not carried out, or may be made twice, and so is made again, under a fresh gate. */
type Again = { again: ProviderError; settled: SettledWrite };

const mostTries = 5;

/**
 * Intends, calls, settles. The provider is asked for nothing that the gate has not allowed just before; what
 * was cut off is found out by reading. A throttled or unanswered call is intended anew, since the wait may be
 * long and authority may end in it. Returns how it ended; throws `RunStopped` when the run may not go on, and
 * `ProviderError` for what is not the item's fault.
 */
export async function performWrite(writing: Writing, effect: ProviderEffect): Promise<SettledWrite> {
  const { deps, run, signal, provider } = writing;
  const { name, write, matchKey, before, after, item } = effect;
  const intent = { action: write.action, type: write.type, id: write.id, matchKey, before, after, item };
  for (let tried = 1; ; tried += 1) {
    signal.throwIfAborted();
    const { credentialVersion } = provider.connection;
    const intended = await intendWrite(deps.db, run, { name, intent, credentialVersion });
    const ended = await carryOut(writing, effect.write, intent, intended);
    if (!("again" in ended)) return ended;
    if (tried >= mostTries) return asLeft(ended);
    await waitUnless(signal, ended.again.retryAfterMs ?? Math.random() * 500 * 2 ** tried);
  }
}

/** What nobody could find out, however often it was made, is the item's result; anything else is a fault. */
function asLeft({ again, settled }: Again): SettledWrite {
  if (settled.state === "unknown") return settled;
  throw again;
}

async function carryOut(
  writing: Writing,
  write: PolicyWrite,
  intent: Intent,
  intended: Intended,
): Promise<SettledWrite | Again> {
  switch (intended.kind) {
    case "settled":
      return intended.settled;
    case "unsettled":
      // Until its deadline a worker that only seems dead may still send it.
      await waitUnless(writing.signal, intended.waitMs);
      return settleLost(writing, intended.key, intended.intent, lostAnswer);
    case "outdated":
      // Authority had ended and was given back in between: another attempt opens what it is given back with.
      throw new AuthorityDoubted();
    case "intended":
      return send(writing, write, intent, intended);
  }
}

async function send(
  writing: Writing,
  write: PolicyWrite,
  intent: Intent,
  { key, leftMs }: Extract<Intended, { kind: "intended" }>,
): Promise<SettledWrite | Again> {
  const { deps, provider, record } = writing;
  const signal = AbortSignal.timeout(Math.max(0, Math.floor(leftMs())));
  try {
    const time = { signal, isUp: () => leftMs() <= 0 };
    const { id } = await provider.writer.write(write, key.idempotencyKey, time);
    return await settleWrite(deps.db, key, { state: "done", id, reason: null, requestId: null }, record);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.mayHaveHappened) return settleLost(writing, key, intent, error);
    return refused(writing, key, intent, error);
  }
}

const lostAnswer = new ProviderError("unavailable", "The worker was lost while it waited for the answer");

/** What the provider did not carry out. Only what is the item's own fault is the item's result. */
async function refused(
  { deps, run, provider, record }: Writing,
  key: IntentKey,
  intent: Intent,
  error: ProviderError,
): Promise<SettledWrite | Again> {
  const { requestId, message } = error;
  const isItems = error.code === "rejected";
  const ended = { state: "failed", id: intent.id, reason: message, requestId } as const;
  const settled = await settleWrite(deps.db, key, ended, isItems ? record : null);
  if (isItems) return settled;
  if (error.code === "unavailable") return { again: error, settled };
  if (error.code !== "permission_missing") throw error;
  // A fact about the connection: the next gate says what it means for the run. That it may read was not in question.
  const { id: connectionId, credentialVersion } = provider.connection;
  const { read, write }: { read: readonly string[]; write: readonly string[] } = rolesOf[intent.type];
  const roles = write.filter((role) => !read.includes(role));
  await markRolesMissing(deps.db, { connectionId, credentialVersion, roles, runId: run.id });
  return { again: error, settled };
}

async function settleLost(
  { deps, provider, record }: Writing,
  key: IntentKey,
  intent: Intent,
  error: ProviderError,
): Promise<SettledWrite | Again> {
  // Without the run's signal: a revocation waits for what is found out here. Patiently where a copy that lags would
  // have it made again, and that would make a second object, or find nothing to delete and say it was refused.
  const { truth, wasRead } = await lookPatiently(
    () => findOut(async () => provider.reader, intent),
    (found) => isRepeatable(intent) || found.truth.state !== "failed",
  );
  const { requestId } = error;
  const reason = truth.state === "done" ? null : `${error.message}. ${truth.reason ?? ""}`.trim();
  const ended = { ...truth, reason, requestId };
  // Not carried out after all: the item's result is open until the call is made again.
  const settled = await settleWrite(deps.db, key, ended, truth.state === "failed" ? null : record);
  const isOpen =
    settled.state === "failed" || (settled.state === "unknown" && wasRead && isRepeatable(intent));
  return isOpen ? { again: error, settled } : settled;
}
