import type { Tx } from "../../db/database.ts";
import type { ReferredNames } from "../../domain/backups/references.ts";
import { defaultOptions, undoOptions } from "../../domain/restores/options.ts";
import type { PlanRow } from "../../domain/restores/planRow.ts";
import type { Resolver } from "../../domain/restores/resolver.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import type { PolicyModel, ProviderPolicy } from "../../provider/port.ts";
import { contoso } from "./cast.ts";
import { freezePlan, planRows, settlePlan } from "./freezePlan.ts";
import { insertPastRuns } from "./insertPastRuns.ts";
import { keepSet, ofType, type Policies } from "./keepSets.ts";
import { pastBackups } from "./pastBackups.ts";
import {
  editedAt,
  previewByHugo,
  previewByMia,
  restoreByHugo,
  restoreByMia,
  restored,
  restoredTypes,
} from "./pastRestores.ts";
import type { PastRun } from "./pastRun.ts";
import { idOfRun, type ToldRun, tellRun } from "./tellRun.ts";
import { withPayload } from "./withPayload.ts";

/** A directory as it is: its policies with their assignments, and what they refer to. */
export type Directory = { policies: Policies; names: ReferredNames; resolve: Resolver; model: PolicyModel };

/** Somebody has edited every other policy since; this is how they were. */
export function withoutEdits({ policies, model }: Pick<Directory, "policies" | "model">): Policies {
  const before = (type: PolicyType, policy: ProviderPolicy) =>
    withPayload(model, type, policy, { ...policy.payload, description: "As agreed in the spring review." });
  return new Map(
    [...policies].map(([type, list]) => [
      type,
      list.map((policy, index) => (isEdited(type, index) ? before(type, policy) : policy)),
    ]),
  );
}

function isEdited(type: PolicyType, index: number): boolean {
  return restoredTypes.includes(type) && index % 2 === 0;
}

/** The restore that was stopped half-way at Contoso Retail, and the one that undid what it had done. */
export async function makePastRestores(tx: Tx, directory: Directory, now: Date): Promise<void> {
  const source = pastBackups(now).findLast(
    ({ tenant, hoursAgo }) => tenant === contoso && hoursAgo > editedAt,
  );
  if (source === undefined) throw new Error("The demo's restore has no backup to take from.");
  const present = directory.policies;
  const setId = idOfRun(source, now);
  const itemIds = await chooseItems(tx, setId, directory);
  const first = await planRows(tx, { ...directory, setId, itemIds, options: defaultOptions, present });
  const preview = await tell(tx, previewByHugo(source, setId, itemIds), now);
  await freezePlan(tx, preview, { setId, options: defaultOptions, ...first });
  const stopped = restoreByHugo({ planId: preview.id, source, ...first });
  const stoppedRun = await tell(tx, stopped, now);
  await settlePlan(tx, preview.id, stoppedRun, restored.updated);
  await keepSet(tx, stoppedRun, "snapshot", {
    policies: snapshotOf(first.rows, present),
    names: directory.names,
  });
  await undo(tx, stopped, directory, now);
}

async function undo(tx: Tx, stopped: PastRun, directory: Directory, now: Date): Promise<void> {
  const setId = idOfRun(stopped, now);
  const present = withoutEdits(directory);
  const plan = await planRows(tx, { ...directory, setId, itemIds: null, options: undoOptions, present });
  const preview = await tell(tx, previewByMia(stopped, setId), now);
  await freezePlan(tx, preview, { setId, options: undoOptions, ...plan });
  const run = await tell(tx, restoreByMia({ planId: preview.id, source: stopped, ...plan }), now);
  await settlePlan(tx, preview.id, run, restored.updated);
  await keepSet(tx, run, "snapshot", { policies: snapshotOf(plan.rows, present), names: directory.names });
}

async function tell(tx: Tx, run: PastRun, now: Date): Promise<ToldRun> {
  const told = tellRun(run, now);
  await insertPastRuns(tx, [told], now);
  return told;
}

/** So many that were edited and so many that were not. */
async function chooseItems(tx: Tx, setId: string, { policies }: Directory): Promise<string[]> {
  const all = restoredTypes.flatMap((type) =>
    ofType(policies, type).map(({ id }, index) => ({ type, id, edited: isEdited(type, index) })),
  );
  const chosen = [
    ...all.filter(({ edited }) => edited).slice(0, restored.toUpdate),
    ...all.filter(({ edited }) => !edited).slice(0, restored.items - restored.toUpdate),
  ];
  const rows = await tx.query<{ id: string }>(
    `select i.id from backup_items i join jsonb_to_recordset($2::jsonb) as c (type text, id text)
       on i.type = c.type and i.provider_id = c.id where i.set_id = $1`,
    [setId, JSON.stringify(chosen)],
  );
  return rows.map(({ id }) => id);
}

/** What the first of the items to update were before. */
function snapshotOf(rows: readonly PlanRow[], present: Policies): Policies {
  const written = rows.filter(({ action }) => action === "update").slice(0, restored.updated);
  const isWritten = (type: PolicyType, id: string) =>
    written.some((row) => row.type === type && row.providerId === id);
  return new Map([...present].map(([type, list]) => [type, list.filter(({ id }) => isWritten(type, id))]));
}
