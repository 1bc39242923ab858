import { mergedReferences, referencesOf } from "../../server/domain/backups/references.ts";
import type { RestoreOptions } from "../../server/domain/restores/options.ts";
import { type PlannedItem, planItem, refusedItem } from "../../server/domain/restores/planItem.ts";
import { digestOfRow, type PlanRow } from "../../server/domain/restores/planRow.ts";
import { readIdentities, readPresent } from "../../server/domain/restores/readPresent.ts";
import { recordPlanRows } from "../../server/domain/restores/recordPlan.ts";
import { type Chosen, readSourceItems } from "../../server/domain/restores/sourceItems.ts";
import type { TargetBook } from "../../server/domain/restores/targetBook.ts";
import { isGranted, type PolicyType, rolesOf } from "../../server/provider/policyTypes.ts";
import {
  type PolicyModel,
  ProviderError,
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
    if (!(error instanceof ProviderError) || error.code !== "permission_missing") throw error;
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
  const { tenantName } = book.resolve;
  const byKey = Map.groupBy(chosen, ({ matchKey }) => matchKey);
  const { ids } = await readIdentities(provider, type, new Set(byKey.keys()), run.signal);
  const isRepeated = ({ matchKey }: Chosen) => (byKey.get(matchKey)?.length ?? 0) > 1;
  const matchesOf = ({ matchKey }: Chosen) => ids.get(matchKey) ?? [];
  const repeated = chosen.filter(isRepeated);
  await refuse(
    planning,
    repeated,
    "The backup holds several of this name, so it cannot be told which one is meant.",
  );
  const single = chosen.filter((item) => !isRepeated(item));
  const ambiguous = single.filter((item) => matchesOf(item).length > 1);
  await refuse(
    planning,
    ambiguous,
    `${tenantName} has several of this name, so it cannot be told which one is meant.`,
  );
  const byId = new Map(
    single.flatMap((item) => {
      const [id, another] = matchesOf(item);
      return id === undefined || another !== undefined ? [] : [[id, item] as const];
    }),
  );
  const missing = new Set(single.filter((item) => !ambiguous.includes(item)));
  for await (const policies of readPresent(provider, type, new Set(byId.keys()), run.signal)) {
    const pairs = policies.flatMap((present) => {
      const item = byId.get(present.id);
      return item === undefined || !missing.delete(item) ? [] : [{ item, present }];
    });
    await planPairs(planning, pairs);
  }
  // Those that nothing matches, and those that were deleted while we looked.
  await planPairs(
    planning,
    [...missing].map((item) => ({ item, present: null })),
  );
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
  for (const { normalised, assignments, names } of sources.values())
    await book.learn(mergedReferences([referencesOf(normalised, assignments)]), names);
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
