import { z } from "zod";
import { makeNameBook } from "../../server/domain/backups/nameBook.ts";
import { endingOf } from "../../server/domain/restores/endingOf.ts";
import {
  findResumePoint,
  getPlanToCarryOut,
  listCreated,
  listRowsToWrite,
  type PlanToCarryOut,
} from "../../server/domain/restores/execution.ts";
import { planTallies } from "../../server/domain/restores/planItems.ts";
import { claimPlan } from "../../server/domain/restores/recordPlan.ts";
import { partsOf, recordSettledItem, settleUnwritten } from "../../server/domain/restores/settleItem.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";
import { makePatience } from "../lookPatiently.ts";
import { checkDigest, checkDrift } from "../restores/checkDrift.ts";
import { makeCreatedIds } from "../restores/createdIds.ts";
import { makeNewcomers } from "../restores/newcomers.ts";
import { type Restoring, restoreItem } from "../restores/restoreItem.ts";
import { withReauthorization } from "../withReauthorization.ts";

const target = z.object({ planId: z.uuid(), digest: z.string() });

/**
 * Carries out a preview, one item at a time and in its order (handbook 4, "Restore"). What has moved since
 * stops it before the next write. An attempt that comes again goes on where the one before it stopped.
 */
export const restoreExecute = withReauthorization(
  "restore.execute",
  async (run) => {
    const { planId, digest } = target.parse(run.target);
    const plan = await run.read((reader) => getPlanToCarryOut(reader, planId));
    await run.total(plan.items);
    await run.effect("plan", (tx) => claimPlan(tx, planId, run.id));
    const resumeAt = await run.read((reader) => findResumePoint(reader, run.id));
    const restoring = await prepare(run, plan);
    if (resumeAt === null) {
      await checkDigest(run, plan, digest);
      await checkDrift(run, restoring.provider, plan);
    }
    for (let part = 1; part <= partsOf(plan.unwritten); part += 1)
      await run.effect(`unwritten:${part}`, (tx) => settleUnwritten(tx, planId));
    await restoreAll(restoring, resumeAt ?? 0);
    const { results } = await run.read((reader) => planTallies(reader, planId));
    return endingOf(results);
  },
  { recordSettled: recordSettledItem },
);

async function prepare(run: AuthorizedRun, plan: PlanToCarryOut): Promise<Restoring> {
  const { provider, model } = await run.connect();
  return {
    run,
    plan,
    provider,
    model,
    created: makeCreatedIds(await run.read((reader) => listCreated(reader, run.id))),
    newcomers: makeNewcomers(provider, run.signal),
    book: makeNameBook(provider, run.signal),
    look: makePatience(),
  };
}

/** From where an earlier attempt stopped, whose last item may have been left half done. */
async function restoreAll(restoring: Restoring, resumeAt: number): Promise<void> {
  const { run, plan } = restoring;
  let reached = Math.max(0, resumeAt - 1);
  for (;;) {
    const rows = await run.read((reader) => listRowsToWrite(reader, plan.id, reached));
    if (rows.length === 0) return;
    for (const row of rows) {
      await restoreItem(restoring, row, row.position === resumeAt);
      reached = row.position;
    }
  }
}
