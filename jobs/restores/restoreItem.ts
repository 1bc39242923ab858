import { makeNameBook } from "../../server/domain/backups/nameBook.ts";
import { referencesOf } from "../../server/domain/backups/references.ts";
import { recordSnapshot } from "../../server/domain/backups/recordSnapshot.ts";
import { digestOfJson } from "../../server/domain/digest.ts";
import { findSnapshot } from "../../server/domain/restores/execution.ts";
import { hashOfState } from "../../server/domain/restores/planItem.ts";
import type { PlanRow } from "../../server/domain/restores/planRow.ts";
import { differencesFrom, readsBackWords, type Written } from "../../server/domain/restores/readBackItem.ts";
import { failItem, noteOf } from "../../server/domain/restores/settleItem.ts";
import type { PolicyModel, PolicyWrite, ProviderPolicy, ProviderReader } from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";
import { movedIdentity, movedWords, stopAsStale } from "./checkDrift.ts";
import { type CreatedIds, NotCreated } from "./createdIds.ts";
import type { Newcomers } from "./newcomers.ts";

/** What restoring works with, through all items of one attempt. */
export type Restoring = {
  run: AuthorizedRun;
  provider: ProviderReader;
  model: PolicyModel;
  planId: string;
  created: CreatedIds;
  newcomers: Newcomers;
  book: ReturnType<typeof makeNameBook>;
};

/**
 * Brings one item about: sees that nothing has moved, keeps what is there, makes the calls in order, reads
 * back. `isResumed`: an earlier attempt may have made some of the calls, so what is there is not what was
 * previewed; those that were settled are not made again.
 */
export async function restoreItem(restoring: Restoring, row: PlanRow, isResumed: boolean): Promise<void> {
  const { run, model, planId, created } = restoring;
  const written = resolved(row, created);
  if (written instanceof NotCreated) return fail(restoring, row, "unready", written.message);
  const present =
    row.action === "create"
      ? await seeNothingThere(restoring, row, isResumed)
      : await keepPresent(restoring, row, isResumed);
  const of = present === null ? null : { id: present.id, present };
  const calls = model.planWrites(row.type, written.desired, written.assignments, of);
  const id = await makeCalls(restoring, row, written, calls);
  if (id === null) return;
  if (row.action === "create") created.add(row, id);
  const read = await restoring.provider.readPolicy(row.type, id, run.signal);
  if (read === null) return fail(restoring, row, "differs", "Written, but it cannot be read back");
  const fields = differencesFrom(written, read);
  if (fields.length > 0) await fail(restoring, row, "differs", readsBackWords(fields));
  void planId;
}
