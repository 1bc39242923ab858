import type { Tx } from "../../db/database.ts";
import { pastRuns } from "./history.ts";
import { insertAudit } from "./insertAudit.ts";
import { insertPastRuns } from "./insertPastRuns.ts";
import { pastChanges } from "./pastChanges.ts";
import { insertSchedules, schedulesMade } from "./schedules.ts";
import { tellRun } from "./tellRun.ts";

/** The runs of the days before, already ended, and the changes that decided them; in the caller's transaction. */
export async function insertHistory(tx: Tx, now: Date): Promise<void> {
  await insertPastRuns(
    tx,
    pastRuns.map((run) => tellRun(run, now)),
    now,
  );
  await insertSchedules(tx, now);
  await insertAudit(tx, [...pastChanges(now), ...schedulesMade(now)]);
}
