import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { describeListedRun, type RunRow } from "../domain/operations/describeListedRun.ts";
import { listStanding, standingLimit, standingRunLimit } from "../domain/operations/needsAttention.ts";
import type { RunScope } from "../domain/operations/runScope.ts";
import { counted } from "../domain/operations/runWords.ts";
import type { ListQuery } from "./operationQuery.ts";

/** `isCut`: there may be more than are shown. */
export type StandingList = { rows: StandingRow[]; isCut: boolean };

/** Blocked runs of one kind that nobody has dealt with, told by the newest of them. */
type StandingRow = RunRow & { runs: string; endedAt: Date; opensTenant: boolean; mayDismiss: boolean };

export async function readStanding(
  reader: Reader,
  scope: RunScope,
  viewer: Viewer,
  query: ListQuery,
): Promise<StandingList> {
  const { operation, tenant: tenantId, reason: reasonCode } = query;
  const groups = await listStanding(reader, scope, { operation, tenantId, reasonCode });
  const around = { hasWorker: true, now: undefined, at: new Date() };
  const rows = groups.map(({ run, runs }) => ({
    ...describeListedRun(run, around),
    runs:
      runs > standingRunLimit
        ? `${standingRunLimit.toLocaleString("en-GB")}+ runs`
        : counted(runs, "run", "runs"),
    endedAt: run.completedAt ?? run.requestedAt,
    opensTenant: run.tenantExists && may(viewer, "tenant.view", run.tenantId),
    mayDismiss: may(viewer, "operations.rerun", run.tenantId),
  }));
  return { rows, isCut: rows.length === standingLimit };
}
