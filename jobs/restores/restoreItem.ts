import { isObject } from "../../server/domain/backups/assignment.ts";
import type { NameBook } from "../../server/domain/backups/nameBook.ts";
import { recordSnapshot } from "../../server/domain/backups/recordSnapshot.ts";
import { referencesOf } from "../../server/domain/backups/references.ts";
import {
  findSnapshot,
  mayHaveBeenMade,
  type PlanToCarryOut,
} from "../../server/domain/restores/execution.ts";
import { hashOfState } from "../../server/domain/restores/planItem.ts";
import type { PlanRow } from "../../server/domain/restores/planRow.ts";
import { problemReading, type Written } from "../../server/domain/restores/readBackItem.ts";
import { failItem, type ItemNote } from "../../server/domain/restores/settleItem.ts";
import type { PolicyModel, PolicyWrite, ProviderPolicy, ProviderReader } from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";
import type { Look } from "../lookPatiently.ts";
import { movedWords, stopAsStale } from "./checkDrift.ts";
import type { CreatedIds } from "./createdIds.ts";
import type { Newcomers } from "./newcomers.ts";
import { readingOf, type WrittenItem } from "./readingOf.ts";

/** What restoring works with, through all items of one attempt. */
export type Restoring = {
  run: AuthorizedRun;
  provider: ProviderReader;
  model: PolicyModel;
  plan: PlanToCarryOut;
  created: CreatedIds;
  newcomers: Newcomers;
  book: NameBook;
  look: Look;
};

/**
 * Brings one item about: sees that nothing has moved, keeps what is there, makes the calls in order, reads
 * back. `isResumed`: an earlier attempt came as far as this one, so what is there need not be what was previewed;
 * calls that were carried out are not made again.
 */
export async function restoreItem(restoring: Restoring, row: PlanRow, isResumed: boolean): Promise<void> {
  const { run, model, created, provider } = restoring;
  const written = fillIn(row, created);
  if (written === null)
    return fail(restoring, row, "unready", "A filter or scope tag that it refers to was not created");
  const present = await (row.action === "create" ? seeThatNothingIsThere : keepWhatIsThere)(
    restoring,
    row,
    isResumed,
  );
  const of = present === null ? null : { id: present.id, present };
  const calls = model.planWrites(row.type, written.desired, written.assignments, of);
  const id = await makeCalls(restoring, { row, written, present }, calls);
  if (id === null) return;
  if (row.action === "create") created.add(row, id);
  const problem = await restoring.look(
    async () => problemReading(written, await provider.readPolicy(row.type, id, run.signal)),
    (found) => found === null,
    run.signal,
  );
  if (problem !== null) await fail(restoring, row, "differs", problem);
}

/** What is to be written, with the ids of what the run has created; null when one of them was not. */
function fillIn({ desired, assignments }: PlanRow, created: CreatedIds): Written | null {
  const policy = created.fillIn(desired);
  const sent = created.fillIn(assignments);
  if (policy === null || sent === null || !isObject(policy.value)) return null;
  return {
    desired: policy.value,
    assignments: Array.isArray(sent.value) ? sent.value.filter(isObject) : null,
  };
}

async function seeThatNothingIsThere(
  { run, plan, newcomers }: Restoring,
  row: PlanRow,
  isResumed: boolean,
): Promise<null> {
  // One that was refused before is as new as any: meanwhile somebody else may have made it.
  if (isResumed && (await mayHaveBegun(run, row))) return null;
  const found = await newcomers.findFor(row.type, row.matchKey);
  return found.length === 0 ? null : stopAsStale(run, plan.id, movedWords.there(row));
}

/** The object as it was before this run wrote to it, kept in the run's snapshot. */
async function keepWhatIsThere(
  { run, provider, plan, book }: Restoring,
  row: PlanRow,
  isResumed: boolean,
): Promise<ProviderPolicy> {
  const { type, providerId } = row;
  if (providerId === null) throw new Error(`Item ${row.position} is to be updated, but names no object.`);
  // What was only refused so far must still be as it was previewed: meanwhile somebody else may have changed it.
  const kept =
    isResumed && (await mayHaveBegun(run, row))
      ? await run.read((reader) => findSnapshot(reader, run.id, type, providerId))
      : undefined;
  if (kept !== undefined) return kept;
  const policy = await provider.readPolicy(type, providerId, run.signal);
  if (policy === null) return stopAsStale(run, plan.id, movedWords.gone(row));
  if (hashOfState(policy) !== row.expectedHash) return stopAsStale(run, plan.id, movedWords.changed(row));
  await book.learn(referencesOf(policy.normalised, policy.assignments));
  const taking = { runId: run.id, fencingToken: run.fencingToken, tenantId: run.tenantId };
  const { types } = plan;
  await run.effect(`item:${row.position}:snapshot`, (tx) =>
    recordSnapshot(tx, taking, { types, type, policy }, book.names),
  );
  return policy;
}

const updating = ["update", "actions", "definitions", "assign"] as const;

/** Whether an earlier attempt may have brought some of the item about: then it need not be as it was previewed. */
function mayHaveBegun(run: AuthorizedRun, row: PlanRow): Promise<boolean> {
  const calls = row.action === "create" ? (["create"] as const) : updating;
  const names = calls.map((action) => callName(row, action));
  return run.read((reader) => mayHaveBeenMade(reader, run.id, names));
}

/** The object's id when all calls were carried out; null when one was not, which the item's result says. */
async function makeCalls(
  { run, plan }: Restoring,
  item: WrittenItem & { row: PlanRow },
  calls: readonly PolicyWrite[],
): Promise<string | null> {
  const { row } = item;
  let id = row.providerId;
  for (const write of calls) {
    const settled = await run.providerEffect({
      name: callName(row, write.action),
      write: { ...write, id: write.id ?? id },
      matchKey: row.matchKey,
      ...readingOf(item, calls, write),
      item: { ...noteOf(plan, row), last: write === calls.at(-1) },
    });
    if (settled.state !== "done") return null;
    id ??= settled.id;
  }
  return id;
}

function fail({ run, plan }: Restoring, row: PlanRow, what: string, reason: string): Promise<void> {
  return run.effect(`item:${row.position}:${what}`, (tx) => failItem(tx, noteOf(plan, row), reason));
}

function callName({ position }: PlanRow, action: PolicyWrite["action"]): string {
  return `item:${position}:${action}`;
}

function noteOf(plan: PlanToCarryOut, { position, action }: PlanRow): ItemNote {
  return { planId: plan.id, position, result: action === "create" ? "created" : "updated" };
}
