import { mergedNames, mergedReferences, referencesOf } from "../../server/domain/backups/references.ts";
import type { RestoreOptions } from "../../server/domain/restores/options.ts";
import { type PlannedItem, planItem, refusedItem } from "../../server/domain/restores/planItem.ts";
import { digestOfRow, type PlanRow } from "../../server/domain/restores/planRow.ts";
import { readIdentities, readPresent } from "../../server/domain/restores/readPresent.ts";
import { recordPlanRows } from "../../server/domain/restores/recordPlan.ts";
import { type Chosen, readSourceItems } from "../../server/domain/restores/sourceItems.ts";
import type { TargetBook } from "../../server/domain/restores/targetBook.ts";
import { isGranted, type PolicyType, rolesOf } from "../../server/provider/policyTypes.ts";
import {
  isRefusalToShow,
  type PolicyModel,
  type ProviderPolicy,
  type ProviderReader,
} from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";
import { inParts } from "../inParts.ts";

/** What planning works with. `digests` gathers those of the items, by position from 0. */
export type Planning = {
  run: AuthorizedRun;
  provider: ProviderReader;
  model: PolicyModel;
  granted: readonly string[];
  setId: string;
  options: RestoreOptions;
  book: TargetBook;
  digests: string[];
};

/** Plans the chosen items of one type against what is at the target. A type that may not be touched is refused. */
export async function planType(
  planning: Planning,
  type: PolicyType,
  chosen: readonly Chosen[],
): Promise<void> {
  if (chosen.length === 0) return;
  const lacking = [...rolesOf[type].read, ...rolesOf[type].write].filter(
    (role) => !isGranted(role, planning.granted),
  );
  if (lacking.length > 0)
    return refuse(planning, chosen, `${[...new Set(lacking)].join(", ")} is not granted to the connection.`);
  try {
    await planAgainstPresent(planning, type, chosen);
  } catch (error) {
    if (!isRefusalToShow(error)) throw error;
    const open = chosen.filter(({ position }) => planning.digests[position - 1] === undefined);
    await refuse(planning, open, `Microsoft refused to show what is there: ${error.message}.`);
  }
}

async function planAgainstPresent(
  planning: Planning,
  type: PolicyType,
  chosen: readonly Chosen[],
): Promise<void> {
  const { provider, run, book } = planning;
  const keys = new Set(chosen.map(({ matchKey }) => matchKey));
  const { ids } = await readIdentities(provider, type, keys, run.signal);
  const { repeated, ambiguous, single, absent } = sortByMatch(chosen, ids);
  await refuse(planning, repeated, `The backup holds several of this name, ${whichOne}`);
  await refuse(planning, ambiguous, `${book.resolve.tenantName} has several of this name, ${whichOne}`);
  for await (const policies of readPresent(provider, type, new Set(single.keys()), run.signal)) {
    const pairs = policies.flatMap((present) => {
      const item = single.get(present.id);
      return item === undefined || !single.delete(present.id) ? [] : [{ item, present }];
    });
    await planPairs(planning, pairs);
  }
  // Those that nothing matches, and those that were deleted while we looked.
  const gone = [...absent, ...single.values()].map((item) => ({ item, present: null }));
  await planPairs(planning, gone);
}

const whichOne = "so it cannot be told which one is meant.";

type Sorted = Record<"repeated" | "ambiguous" | "absent", Chosen[]> & { single: Map<string, Chosen> };

/** `single` are those with exactly one counterpart, by its id. More than one on either side is never guessed. */
function sortByMatch(chosen: readonly Chosen[], ids: ReadonlyMap<string, readonly string[]>): Sorted {
  const byKey = Map.groupBy(chosen, ({ matchKey }) => matchKey);
  const sorted: Sorted = { repeated: [], ambiguous: [], single: new Map(), absent: [] };
  for (const [matchKey, [item, ...others]] of byKey) {
    const [id, another] = ids.get(matchKey) ?? [];
    if (item === undefined) continue;
    if (others.length > 0) sorted.repeated.push(item, ...others);
    else if (another !== undefined) sorted.ambiguous.push(item);
    else if (id === undefined) sorted.absent.push(item);
    else sorted.single.set(id, item);
  }
  return sorted;
}

type Pair = { item: Chosen; present: ProviderPolicy | null };

async function planPairs(planning: Planning, pairs: readonly Pair[]): Promise<void> {
  for (const part of inParts(pairs, ({ present }) => present?.payload ?? null))
    await planPart(planning, part);
}

async function planPart(planning: Planning, pairs: readonly Pair[]): Promise<void> {
  const { run, setId, book, options, model } = planning;
  const sources = await run.read((reader) =>
    readSourceItems(
      reader,
      setId,
      pairs.map(({ item }) => item.id),
    ),
  );
  const named = [...sources.values()];
  await book.learn(
    mergedReferences(named.map(({ normalised, assignments }) => referencesOf(normalised, assignments))),
    mergedNames(named.map(({ names }) => names)),
  );
  const { resolve } = book;
  const { planWrites } = model;
  const rows = pairs.flatMap(({ item, present }) => {
    const source = sources.get(item.id);
    if (source === undefined) return [];
    const planned = planItem({ item: source, present, options, resolve, planWrites });
    if (planned.action === "create") book.willCreate(item);
    return [toRow(item, planned)];
  });
  for (const part of inParts(rows, ({ desired, diff }) => [desired, diff])) await record(planning, part);
}

async function refuse(planning: Planning, items: readonly Chosen[], reason: string): Promise<void> {
  const rows = items.map((item) => toRow(item, refusedItem(reason)));
  for (const part of inParts(rows, ({ reason }) => reason)) await record(planning, part);
}

async function record({ run, digests }: Planning, rows: readonly PlanRow[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  await run.effect(`items:${first.position}`, (tx) => recordPlanRows(tx, run.id, rows), { per: "attempt" });
  for (const row of rows) digests[row.position - 1] = digestOfRow(row);
}

function toRow({ position, id, type, name, matchKey }: Chosen, planned: PlannedItem): PlanRow {
  return { position, backupItemId: id, type, name, matchKey, ...planned };
}
