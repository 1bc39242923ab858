import { cancelChildren } from "../../server/domain/operations/cancelRun.ts";
import {
  enqueueForgotten,
  requeueLostRuns,
  unlockLostPools,
} from "../../server/domain/operations/rescueRuns.ts";
import type { WorkerDeps } from "../deps.ts";
import { recorderOf } from "../taskList.ts";
import { settleAbandoned } from "./settleAbandoned.ts";

/**
 * Takes up what dead workers left behind: their jobs, their runs, their calls. Any worker may do it at any
 * time, several at once: each step changes only what nobody else holds.
 */
export async function rescue(
  deps: WorkerDeps,
  { lostAfter, signal }: { lostAfter: number; signal?: AbortSignal },
): Promise<void> {
  const pools = await unlockLostPools(deps.db, lostAfter);
  const runs = await requeueLostRuns(deps.db, lostAfter);
  const jobs = await enqueueForgotten(deps.db);
  await cancelChildren(deps.db, null);
  if (pools + runs + jobs > 0) deps.log.warn({ pools, runs, jobs }, "took up what lost workers left behind");
  await settleAbandoned(deps, { recorderOf, ...(signal !== undefined && { signal }) });
}
