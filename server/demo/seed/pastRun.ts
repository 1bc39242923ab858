import type { Facts } from "../../domain/authority/facts.ts";
import type { OperationName } from "../../domain/operations/catalog.ts";
import type { Ending, FailureCode } from "../../domain/operations/ending.ts";
import type { EffectSummary } from "../../domain/operations/runEffect.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { JsonObject } from "../../provider/port.ts";
import type { Person, Tenant } from "./cast.ts";
import { policyCountsOf } from "./directories.ts";
import type { Schedule } from "./schedules.ts";

/** How the world differed from today's. */
export type World = (facts: Facts) => Facts;

/** A run of the days before the demo, told so that rows can be made of it. Durations are in seconds. */
export type PastRun = {
  operation: OperationName;
  tenant: Tenant;
  /** Null: the installation asked, or the schedule. */
  by: Person | null;
  schedule?: Schedule;
  /** What it works on, where that is not all there is. */
  target?: JsonObject;
  /** The run that took the backup it takes its items from. */
  source?: PastRun;
  /** The run that it asks for again. */
  rerunOf?: PastRun;
  /** How many items there were to work on, where that was known. */
  total?: number;
  hoursAgo: number;
  /** When it was requested; until `end.world` says otherwise. */
  was?: World;
  /** From the request to the decision to begin, or to the cancellation. */
  waited?: number;
  /** From there to the end. */
  took?: number;
  effects?: readonly PastEffect[];
  /** Attempts that ended so, each tried again while there were any left. */
  faults?: { count: number; code: FailureCode; message: string };
  end: PastEnd;
};

/** A denial is judged, not told: `decide` must deny under the facts of its moment. */
export type PastEnd =
  | Exclude<Ending, { outcome: "blocked" } | { outcome: "cancelled" }>
  | { outcome: "cancelled"; by: Person }
  | { outcome: "blocked"; at: "request" | "begin" | "checkpoint"; world: World; repeats?: number };

export type PastEffect = EffectSummary & { name: string };

export function effect(name: string, items: number, counts: Record<string, number>): PastEffect {
  return { name, items, counts };
}

/** What a sync of these types did that found every policy so, but for `changed` device configurations. */
export function syncEffects(
  tenant: Tenant,
  found: "created" | "unchanged",
  { changed = 0, types = policyTypes }: { changed?: number; types?: readonly PolicyType[] } = {},
): PastEffect[] {
  const itemsOf = policyCountsOf(tenant);
  return types.flatMap((type) => {
    const items = itemsOf[type];
    const altered = type === "deviceConfigurations" ? changed : 0;
    const counts = { created: 0, changed: altered, unchanged: 0, [found]: items - altered };
    return [
      { name: `${type}:page:1:1`, items, counts },
      { name: `${type}:gone`, items: 0, counts: { gone: 0 } },
    ];
  });
}

/** All types but one, which could not be read. */
export function typesBut(refused: PolicyType): PolicyType[] {
  return policyTypes.filter((type) => type !== refused);
}

export const verified: PastEffect[] = [{ name: "verification", items: 1, counts: { verified: 1 } }];
export const refuted: PastEffect[] = [{ name: "verification", items: 1, counts: { refuted: 1 } }];

export function tallyOf(effects: readonly PastEffect[]): Record<string, number> {
  const tally: Record<string, number> = {};
  for (const { counts } of effects)
    for (const [name, count] of Object.entries(counts)) tally[name] = (tally[name] ?? 0) + count;
  return tally;
}
