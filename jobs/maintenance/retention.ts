import {
  deleteEndedPools,
  deleteOldRuns,
  deleteReadNotifications,
  deleteUnusedPlans,
  deleteUnusedSelections,
  type OldRuns,
} from "../../server/domain/retention/deleteOld.ts";
import { expireBackups } from "../../server/domain/retention/expireBackups.ts";
import type { WorkerDeps } from "../deps.ts";

/** Ages in days; 0 keeps. */
export type RetentionDays = { notifications: number; runs: number; backups: number };

export type RetentionOptions = {
  days: RetentionDays;
  /** Until when a run asked for here must have begun. */
  expiresInHours: number;
  now?: Date;
  signal?: AbortSignal;
};

export type Retained = {
  notifications: number;
  plans: number;
  selections: number;
  pools: number;
  runs: number;
  backupRuns: number;
};

const day = 86_400_000;

/** Batches of each kind in one go; the rest waits for the next hour. */
const mostBatches = 200;

/**
 * Deletes what is older than it is kept, in small batches. Only records of ours, and never the audit trail; for
 * backups, which are a tenant's, it asks for runs. Any worker may do it at any time, several at once.
 */
export async function retention(
  { db, log }: WorkerDeps,
  { days, expiresInHours, now = new Date(), signal }: RetentionOptions,
): Promise<Retained> {
  const ago = (age: number) => new Date(now.getTime() - age * day);
  const repeat = (age: number, batch: (before: Date) => Promise<number>) =>
    age === 0 ? 0 : inBatches(() => batch(ago(age)), signal);
  const deleted = {
    notifications: await repeat(days.notifications, (before) => deleteReadNotifications(db, before)),
    // Neither can be carried out for long; a day leaves time to look at it.
    plans: await repeat(1, (before) => deleteUnusedPlans(db, before)),
    selections: await repeat(1, (before) => deleteUnusedSelections(db, before)),
    // Every deploy and every daily restart leaves one behind.
    pools: await repeat(30, (before) => deleteEndedPools(db, before)),
    runs:
      days.runs === 0 ? 0 : await throughOldRuns((after) => deleteOldRuns(db, ago(days.runs), after), signal),
    backupRuns:
      days.backups === 0 ? 0 : await expireBackups(db, { before: ago(days.backups), expiresInHours }),
  };
  if (Object.values(deleted).some((count) => count > 0))
    log.info(deleted, "deleted what is older than it is kept");
  return deleted;
}

async function inBatches(batch: () => Promise<number>, signal?: AbortSignal): Promise<number> {
  let total = 0;
  for (let done = 0; done < mostBatches && !signal?.aborted; done += 1) {
    const deleted = await batch();
    total += deleted;
    if (deleted === 0) break;
  }
  return total;
}

async function throughOldRuns(
  batch: (after: string | null) => Promise<OldRuns>,
  signal?: AbortSignal,
): Promise<number> {
  let total = 0;
  let last: string | null = null;
  for (let done = 0; done < mostBatches && !signal?.aborted; done += 1) {
    const found: OldRuns = await batch(last);
    total += found.deleted;
    last = found.last;
    if (last === null) break;
  }
  return total;
}
