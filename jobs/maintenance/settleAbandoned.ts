import { type AbandonedWrite, listAbandonedWrites } from "../../server/domain/operations/abandonedWrites.ts";
import { parseIntent } from "../../server/domain/operations/intent.ts";
import { type RecordSettled, settleWrite } from "../../server/domain/operations/settleWrite.ts";
import { ProviderError } from "../../server/provider/port.ts";
import type { WorkerDeps } from "../deps.ts";
import { findOut } from "../findOut.ts";
import { openProvider } from "../openProvider.ts";

/**
 * Settles writing calls whose worker died or lost sight of them, also of runs that have ended: what the
 * provider shows is what happened. Reads only, so it needs nobody's authority; what cannot be found out stays
 * `unknown`, for a person to look at. One that cannot be settled (another release left it) is looked at again the
 * next time, and keeps no other from its turn. Returns how many were looked at.
 */
export async function settleAbandoned(
  deps: WorkerDeps,
  options: {
    recorderOf: (operation: string) => RecordSettled;
    /** Milliseconds after its deadline, in which a call's own worker would have settled it. */
    margin?: number;
    signal?: AbortSignal;
  },
): Promise<number> {
  const { recorderOf, margin = 20_000, signal } = options;
  const abandoned = await listAbandonedWrites(deps.db, margin);
  for (const write of abandoned) {
    if (signal?.aborted) break;
    await settle(deps, write, recorderOf, signal).catch((error: unknown) =>
      deps.log.warn(
        { run: write.key.runId, effect: write.key.key, err: error },
        "abandoned write not settled",
      ),
    );
  }
  return abandoned.length;
}

async function settle(
  deps: WorkerDeps,
  { key, intent, operation, connectionId }: AbandonedWrite,
  recorderOf: (operation: string) => RecordSettled,
  stopping?: AbortSignal,
): Promise<void> {
  const recordSettled = recorderOf(operation);
  const open = async () => {
    if (connectionId === null) throw new ProviderError("credential_rejected", "The run had no connection");
    return (await openProvider(deps, connectionId)).reader;
  };
  const { truth } = await findOut(open, parseIntent(intent), stopping);
  // Not asked to the end: the next rescuer asks again.
  if (stopping?.aborted) return;
  // One that was not carried out leaves its item open: the next attempt makes it, or the run says "not started".
  const record = truth.state === "failed" ? null : recordSettled;
  const settled = await settleWrite(deps.db, key, { ...truth, requestId: null }, record);
  deps.log.info({ run: key.runId, effect: key.key, state: settled.state }, "abandoned write settled");
}
