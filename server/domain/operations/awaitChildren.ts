import { type Db, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { finishRuns } from "./finishRuns.ts";
import type { Run } from "./run.ts";
import { settleParents } from "./settleParents.ts";

/**
 * Leaves a run that has asked for all its children to them: it stays `running` without a job, a worker or a sign
 * of life, and the last child to end ends it; at once when they have all ended by now. False when the attempt was
 * no longer the run's.
 */
export async function awaitChildren(db: Db, run: Run): Promise<boolean> {
  return retrying(() =>
    db.transaction(async (tx) => {
      const rows = await tx.query(
        `update operation_runs set awaits_children = true
         where id = $1 and fencing_token = $2 and status = 'running' returning id`,
        [run.id, run.fencingToken],
      );
      if (rows.length === 0) return false;
      await finishRuns(tx, await settleParents(tx, [run.id]));
      return true;
    }, workerBounds),
  );
}
