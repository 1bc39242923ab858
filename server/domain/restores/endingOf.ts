import type { Ending } from "../operations/ending.ts";
import { capitalised, counted } from "../operations/runWords.ts";
import type { ItemResult } from "./planItems.ts";

type ReachedEnd = Extract<Ending, { outcome: "succeeded" | "partially_succeeded" | "failed" }>;

/** How a restore that reached its end has ended, by what became of its items. */
export function endingOf(results: Record<ItemResult, number>): ReachedEnd {
  const { created, updated, unchanged, refused, failed } = results;
  const unknown = results.unknown + results.not_started;
  if (refused + failed + unknown === 0) return { outcome: "succeeded" };
  const parts = [
    failed === 0 ? [] : `${counted(failed, "item", "items")} failed`,
    refused === 0 ? [] : `${counted(refused, "item was", "items were")} refused`,
    unknown === 0 ? [] : unknownWords(unknown),
  ].flat();
  const message = `${capitalised(parts.join(", "))}; ${counted(created + updated, "item was", "items were")} changed.`;
  if (created + updated + unchanged + unknown === 0)
    return { outcome: "failed", code: "provider_refused", message };
  return { outcome: "partially_succeeded", message };
}

function unknownWords(unknown: number): string {
  return `of ${counted(unknown, "item", "items")} it is not known whether ${unknown === 1 ? "it was" : "they were"} written`;
}
