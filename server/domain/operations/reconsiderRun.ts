import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import type { Run } from "./run.ts";
import { checkpoint, RunStopped } from "./runEffect.ts";

/**
 * Records a fact that a run found under way and that only the gate may judge (its preview has become stale),
 * then asks the gate. Throws `RunStopped` when the run may not go on, before or because of it.
 */
export async function reconsiderRun(db: Db, run: Run, work: (tx: Tx) => Promise<void>): Promise<void> {
  await passOrStop(db, run, work);
  await passOrStop(db, run, async () => {});
}

async function passOrStop(db: Db, run: Run, work: (tx: Tx) => Promise<void>): Promise<void> {
  const answer = await retrying(() =>
    db.transaction(async (tx) => {
      const gated = await checkpoint(tx, run);
      if (gated.kind === "allowed") await work(tx);
      return gated;
    }, workerBounds),
  );
  if (answer.kind !== "allowed") throw new RunStopped(answer.kind);
}

/** How many items the run is about, once it knows: for its progress. */
export async function setTotal(db: Db, run: Run, items: number): Promise<void> {
  await db.query(
    `update operation_runs set progress_total = $3
     where id = $1 and fencing_token = $2 and status = 'running'`,
    [run.id, run.fencingToken, items],
  );
}
