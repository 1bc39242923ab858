import { cancelChildren } from "../../server/domain/operations/cancelRun.ts";
import {
  enqueueForgotten,
  requeueLostRuns,
  unlockLostPools,
} from "../../server/domain/operations/rescueRuns.ts";
import { deleteSpentJobs, unlockStrayJobs } from "../../server/domain/operations/strayJobs.ts";
import type { WorkerDeps } from "../deps.ts";

/**
 * Takes up what dead workers left behind: their jobs and their runs. Any worker may do it at any time, several
 * at once: each step changes only what nobody else holds.
 */
export async function rescue({ db, log }: WorkerDeps, { lostAfter }: { lostAfter: number }): Promise<void> {
  const pools = await unlockLostPools(db, lostAfter);
  const runs = await requeueLostRuns(db, lostAfter);
  const stray = await unlockStrayJobs(db, lostAfter);
  await deleteSpentJobs(db);
  const jobs = stray + (await enqueueForgotten(db, lostAfter));
  await cancelChildren(db, null);
  if (pools + runs + jobs > 0) log.warn({ pools, runs, jobs }, "took up what lost workers left behind");
}
