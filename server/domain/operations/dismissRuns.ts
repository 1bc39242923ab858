import { type Db, type Tx, workerBounds } from "../../db/database.ts";
import { retrying } from "../../db/retrying.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";
import { mayAt } from "../authority/places.ts";
import { Conflict, Forbidden } from "../errors.ts";
import { actOnRun } from "./actOnRun.ts";
import { placeOf } from "./needsAttention.ts";
import type { Run } from "./run.ts";

/** `alike`: with all older blocked runs of the same operation, tenant and reason. */
export type Dismissal = { runId: string; actor: Actor; alike: boolean };

/** Runs set aside in one transaction, and how often that is done before the rest is left for another time. */
const batch = 1_000;
const mostBatches = 20;

/**
 * Sets a blocked run aside, so that it no longer stands in *needs attention* for anybody; audited. Returns how
 * many it were, 0 when somebody was faster. Throws `NotFound` for a stranger, `Forbidden` without
 * `operations.rerun` where it stands (who may deal with it), `Conflict` when it was not blocked.
 */
export async function dismissRuns(db: Db, dismissal: Dismissal): Promise<number> {
  let dismissed = 0;
  for (let done = 0; done < mostBatches; done += 1) {
    const runs = await retrying(() => db.transaction((tx) => dismissIn(tx, dismissal), workerBounds));
    dismissed += runs;
    if (runs < batch) break;
  }
  return dismissed;
}

async function dismissIn(tx: Tx, { runId, actor, alike }: Dismissal): Promise<number> {
  const { run, place, viewer } = await actOnRun(tx, actor, runId);
  for (const right of ["operations.view", "operations.rerun"] as const)
    if (!mayAt(viewer, right, place)) throw new Forbidden(right);
  if (run.outcome !== "blocked")
    throw new Conflict("Only what was blocked needs attention until it is dismissed; this run was not.");
  const runs = alike ? await setAlikeAside(tx, run, actor) : await setAside(tx, run, actor);
  if (runs > 0) await recordDismissal(tx, run, actor, runs);
  return runs;
}

async function setAside(tx: Tx, run: Run, actor: Actor): Promise<number> {
  const rows = await tx.query(
    `update operation_runs set dismissed_at = clock_timestamp(), dismissed_by = $2, dismissed_by_name = $3
     where id = $1 and dismissed_at is null returning id`,
    [run.id, actor.id, actor.name],
  );
  return rows.length;
}

/** Not those that came later: nobody has seen them yet. */
async function setAlikeAside(tx: Tx, run: Run, actor: Actor): Promise<number> {
  const rows = await tx.query(
    `update operation_runs set dismissed_at = clock_timestamp(), dismissed_by = $2, dismissed_by_name = $3
     where id in (
       select b.id from operation_runs r
       join operation_runs b on b.workspace_id = r.workspace_id and ${placeOf("b")} = ${placeOf("r")}
         and b.operation = r.operation and b.reason_code = r.reason_code
       where r.id = $1 and b.outcome = 'blocked' and b.dismissed_at is null and b.id <= r.id
       order by b.id desc limit ${batch})
     returning id`,
    [run.id, actor.id, actor.name],
  );
  return rows.length;
}

async function recordDismissal(tx: Tx, run: Run, actor: Actor, runs: number): Promise<void> {
  await recordAudit(tx, {
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    actor,
    action: "run.dismissed",
    subject: { type: "run", id: run.id },
    outcome: "done",
    details: { operation: run.operation, runs },
  });
}
