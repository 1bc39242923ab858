import { makeNameBook, type NameBook } from "../../server/domain/backups/nameBook.ts";
import { recordSnapshot } from "../../server/domain/backups/recordSnapshot.ts";
import { referencesOf } from "../../server/domain/backups/references.ts";
import {
  claimSelection,
  getSelection,
  type ItemToWork,
  listItemsToWork,
  listSelected,
  markSelectionStale,
  type SelectionToWork,
} from "../../server/domain/bulk/execution.ts";
import { countResults, endingOfSelected } from "../../server/domain/bulk/selectedItems.ts";
import { digestOfSelection } from "../../server/domain/bulk/selections.ts";
import { digestOfJson } from "../../server/domain/digest.ts";
import { findResumePoint, findSnapshot, mayHaveBeenMade } from "../../server/domain/restores/execution.ts";
import { readPresent } from "../../server/domain/restores/readPresent.ts";
import type { ProviderPolicy, ProviderReader } from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";

/** What working through a selection goes by. */
export type Working = {
  run: AuthorizedRun;
  provider: ProviderReader;
  selection: SelectionToWork;
  book: NameBook;
};

/** Brings one policy about, which is `present` at the provider and has been kept. */
export type WorkOn = (item: ItemToWork, present: ProviderPolicy) => Promise<void>;

/**
 * Works through a frozen selection: all of it must be as it was selected, before the first write and each before
 * its own; each is kept in the run's snapshot before it is written to. `prepare` finds out what is to be done, or
 * null when nothing can be. An attempt that comes again goes on where the one before it stopped.
 */
export async function workThrough(
  run: AuthorizedRun,
  target: { selectionId: string; digest: string },
  prepare: (working: Working) => Promise<WorkOn | null>,
) {
  const selection = await run.read((reader) => getSelection(reader, target.selectionId));
  await run.total(selection.items);
  await run.effect("selection", (tx) => claimSelection(tx, selection.id, run.id));
  const resumeAt = await run.read((reader) => findResumePoint(reader, run.id));
  const { provider } = await run.connect();
  const working = { run, provider, selection, book: makeNameBook(provider, run.signal) };
  if (resumeAt === null) await seeThatNothingMoved(working, target.digest);
  const workOn = await prepare(working);
  if (workOn !== null) {
    const items = await run.read((reader) => listItemsToWork(reader, selection.id, resumeAt ?? 0));
    for (const item of items) {
      const isBegun = item.position === resumeAt && (await isUnderWay(working, item));
      await workOn(item, await keep(working, item, isBegun));
    }
  }
  return endingOfSelected(await run.read((reader) => countResults(reader, selection.id)));
}

async function seeThatNothingMoved(working: Working, digest: string): Promise<void> {
  const { run, provider, selection } = working;
  const items = await run.read((reader) => listSelected(reader, selection.id));
  if (digestOfSelection(selection, items) !== digest)
    await stopAsMoved(working, "the selection is not the one that was confirmed");
  for (const [type, ofType] of Map.groupBy(items, (item) => item.type)) {
    const missing = new Map(ofType.map((item) => [item.providerId, item]));
    for await (const found of readPresent(provider, type, new Set(missing.keys()), run.signal))
      for (const policy of found) {
        const item = missing.get(policy.id);
        missing.delete(policy.id);
        if (item !== undefined && !isAsSelected(item, policy)) await stopAsMoved(working, changed(item));
      }
    const [gone] = missing.values();
    if (gone !== undefined) await stopAsMoved(working, isGone(gone));
  }
}

/** Whether an earlier attempt's call for it may have been carried out: then it need not be as it was selected. */
function isUnderWay({ run, selection }: Working, { position }: ItemToWork): Promise<boolean> {
  const action = selection.operation === "policies.bulk_delete" ? "delete" : "assign";
  return run.read((reader) => mayHaveBeenMade(reader, run.id, [`item:${position}:${action}`]));
}

/** The policy as it is before this run writes to it, kept in the run's snapshot: by now, or when it was begun. */
async function keep(working: Working, item: ItemToWork, isBegun: boolean): Promise<ProviderPolicy> {
  const { run, provider, selection, book } = working;
  const { type, providerId } = item;
  const kept = isBegun
    ? await run.read((reader) => findSnapshot(reader, run.id, type, providerId))
    : undefined;
  if (kept !== undefined) return kept;
  const policy = await provider.readPolicy(type, providerId, run.signal);
  if (policy === null) return stopAsMoved(working, isGone(item));
  if (!isAsSelected(item, policy)) return stopAsMoved(working, changed(item));
  await book.learn(referencesOf(policy.normalised, policy.assignments));
  const taking = { runId: run.id, fencingToken: run.fencingToken, tenantId: run.tenantId };
  await run.effect(`item:${item.position}:snapshot`, (tx) =>
    recordSnapshot(tx, taking, { types: selection.types, type, policy }, book.names),
  );
  return policy;
}

/** The run may not go on: only the gate can say so, so it is told what has moved. */
async function stopAsMoved({ run, selection }: Working, moved: string): Promise<never> {
  await run.reconsider((tx) => markSelectionStale(tx, selection.id, moved));
  throw new Error("The gate let a run go on whose selection has moved.");
}

function isAsSelected({ expectedHash }: ItemToWork, { normalised }: ProviderPolicy): boolean {
  return digestOfJson(normalised) === expectedHash;
}

function changed({ name }: ItemToWork): string {
  return `“${name}” has changed at the tenant since it was last synced`;
}

function isGone({ name }: ItemToWork): string {
  return `“${name}” is no longer at the tenant`;
}
