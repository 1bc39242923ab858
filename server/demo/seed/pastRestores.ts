import { defaultOptions, type RestoreOptions, undoOptions } from "../../domain/restores/options.ts";
import type { PlanRow } from "../../domain/restores/planRow.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import { contoso, hugo, mia } from "./cast.ts";
import { effect, type PastEffect, type PastRun } from "./pastRun.ts";
import { roleWas } from "./worlds.ts";

/** The kinds of policy that were to be put back. */
export const restoredTypes: PolicyType[] = [
  "deviceConfigurations",
  "configurationPolicies",
  "deviceCompliancePolicies",
];

/** How many policies of them, how many of those were to be changed, and how many were before it was stopped. */
export const restored = { items: 40, toUpdate: 24, updated: 12 } as const;
const unchanged = restored.items - restored.toUpdate;

/** Until when (hours ago) Contoso Retail's policies were as Hugo wanted them back. */
export const editedAt = 36;

/** A preview, frozen; and the backup it takes from. */
export type Frozen = { planId: string; digest: string; source: PastRun; rows: readonly PlanRow[] };

export type Choice = {
  setId: string;
  types: PolicyType[];
  itemIds: string[] | null;
  options: RestoreOptions;
};

/** Hugo, a manager then, looks at what putting 40 policies back would do. */
export function previewByHugo(source: PastRun, setId: string, itemIds: string[]): PastRun {
  return {
    ...preview({ setId, types: restoredTypes, itemIds, options: defaultOptions }, source),
    by: hugo,
    hoursAgo: 31,
    was: roleWas("manager"),
    total: restored.items,
    effects: planning(restored.items, { to_update: restored.toUpdate, unchanged }),
  };
}

/** He has changed 12 of them when Olivia gives him a smaller role. */
export function restoreByHugo(frozen: Frozen): PastRun {
  const settled = effect("unwritten:1", unchanged, { unchanged });
  return {
    ...restore(frozen, "Put back what Friday's clean-up changed"),
    by: hugo,
    hoursAgo: 30.8,
    took: 41,
    was: roleWas("manager"),
    total: restored.items,
    effects: [effect("plan", 0, {}), settled, ...writing(frozen.rows, restored.updated)],
    end: { outcome: "blocked", at: "checkpoint", world: roleWas("sync-desk") },
  };
}

/** Mia undoes the half of it that was done. */
export function previewByMia(source: PastRun, setId: string): PastRun {
  return {
    ...preview({ setId, types: restoredTypes, itemIds: null, options: undoOptions }, source),
    by: mia,
    hoursAgo: 30.2,
    total: restored.updated,
    effects: planning(restored.updated, { to_update: restored.updated }),
  };
}

export function restoreByMia(frozen: Frozen): PastRun {
  return {
    ...restore(frozen, "Undo the half that was done"),
    by: mia,
    hoursAgo: 30.1,
    took: 38,
    total: restored.updated,
    effects: [effect("plan", 0, {}), ...writing(frozen.rows, restored.updated)],
  };
}

type Untold = Pick<PastRun, "operation" | "tenant" | "end" | "source" | "target" | "took">;

function preview(choice: Choice, source: PastRun): Untold {
  const end = { outcome: "succeeded" } as const;
  return { operation: "restore.preview", tenant: contoso, took: 2.8, end, source, target: choice };
}

function restore({ planId, digest, source, rows }: Frozen, reason: string): Untold {
  const types = restoredTypes.filter((type) =>
    rows.some((row) => row.type === type && row.action === "update"),
  );
  const end = { outcome: "succeeded" } as const;
  return {
    operation: "restore.execute",
    tenant: contoso,
    end,
    source,
    target: { planId, digest, types, reason },
  };
}

function planning(items: number, counts: Record<string, number>): PastEffect[] {
  return [effect("plan", 0, {}), effect("items:1", items, counts), effect("complete", 0, {})];
}

/** Each policy was kept as it was, then written. */
function writing(rows: readonly PlanRow[], count: number): PastEffect[] {
  return rows
    .filter(({ action }) => action === "update")
    .slice(0, count)
    .flatMap(({ position }) => [
      effect(`item:${position}:snapshot`, 0, {}),
      effect(`item:${position}:update`, 1, { updated: 1 }),
    ]);
}
