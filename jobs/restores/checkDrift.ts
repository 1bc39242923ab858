import {
  type Expectation,
  listExpectations,
  listPlanRows,
  type PlanToCarryOut,
} from "../../server/domain/restores/execution.ts";
import { hashOfState } from "../../server/domain/restores/planItem.ts";
import { digestOfPlan, digestOfRow } from "../../server/domain/restores/planRow.ts";
import { readIdentities, readPresent } from "../../server/domain/restores/readPresent.ts";
import { markPlanStale } from "../../server/domain/restores/recordPlan.ts";
import type { PolicyType } from "../../server/provider/policyTypes.ts";
import type { ProviderReader } from "../../server/provider/port.ts";
import type { AuthorizedRun } from "../authorizedRun.ts";

/** Before the first write: whether all that the plan will write is as it was when it was previewed. */
export async function checkDrift(
  run: AuthorizedRun,
  provider: ProviderReader,
  plan: PlanToCarryOut,
): Promise<void> {
  for (const type of plan.types) {
    const expected = await run.read((reader) => listExpectations(reader, plan.id, type));
    const moved = await findMoved(provider, type, expected, run.signal);
    if (moved !== null) await stopAsStale(run, plan.id, moved);
  }
}

/** Whether the stored items are those that were confirmed: then their digest is the one that was. */
export async function checkDigest(run: AuthorizedRun, plan: PlanToCarryOut, digest: string): Promise<void> {
  const rows: string[] = [];
  for (;;) {
    const part = await run.read((reader) => listPlanRows(reader, plan.id, rows.length));
    if (part.length === 0) break;
    rows.push(...part.map(digestOfRow));
  }
  if (digestOfPlan(plan, rows) !== digest)
    await stopAsStale(run, plan.id, "the preview is not the one that was confirmed");
}

/** The run may not go on: only the gate can say so, so it is told what has moved. */
export async function stopAsStale(run: AuthorizedRun, planId: string, moved: string): Promise<never> {
  await run.reconsider((tx) => markPlanStale(tx, planId, moved));
  throw new Error("The gate let a restore go on whose preview is stale.");
}

/** In words, what the gate will say it was blocked by; null while nothing has moved. */
async function findMoved(
  provider: ProviderReader,
  type: PolicyType,
  expected: readonly Expectation[],
  signal: AbortSignal,
): Promise<string | null> {
  const { ids } = await readIdentities(provider, type, new Set(expected.map((one) => one.matchKey)), signal);
  for (const item of expected) {
    const moved = movedIdentity(item, ids.get(item.matchKey) ?? []);
    if (moved !== null) return moved;
  }
  const updates = new Map(
    expected.flatMap((item) => (item.providerId === null ? [] : [[item.providerId, item]])),
  );
  for await (const policies of readPresent(provider, type, new Set(updates.keys()), signal))
    for (const policy of policies) {
      const item = updates.get(policy.id);
      updates.delete(policy.id);
      if (item !== undefined && hashOfState(policy) !== item.expectedHash) return movedWords.changed(item);
    }
  const [gone] = updates.values();
  return gone === undefined ? null : movedWords.gone(gone);
}

/** Whether the objects of an item's match key are still those the preview found. */
function movedIdentity(item: Expectation, present: readonly string[]): string | null {
  if (item.action === "create") return present.length > 0 ? movedWords.there(item) : null;
  if (item.providerId === null || !present.includes(item.providerId)) return movedWords.gone(item);
  return present.length > 1 ? movedWords.several(item) : null;
}

export const movedWords = {
  changed: ({ name }: Pick<Expectation, "name">) => `“${name}” has changed at the tenant since the preview`,
  gone: ({ name }: Pick<Expectation, "name">) =>
    `“${name}” is no longer at the tenant, or goes by another name`,
  there: ({ name }: Pick<Expectation, "name">) => `“${name}” has come to be at the tenant since the preview`,
  several: ({ name }: Pick<Expectation, "name">) => `there are several called “${name}” at the tenant by now`,
};
