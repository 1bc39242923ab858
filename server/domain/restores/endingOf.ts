import type { Ending } from "../operations/finishRuns.ts";
import { counted } from "../operations/runWords.ts";
import type { Results } from "./execution.ts";

type ReachedEnd = Extract<Ending, { outcome: "succeeded" | "partially_succeeded" | "failed" }>;

/** How a restore that reached its end has ended, by what became of its items. */
export function endingOf(results: Results): ReachedEnd {
  const { created, updated, unchanged, refused, failed, open } = results;
  if (refused + failed + open === 0) return { outcome: "succeeded" };
  const parts = [
    failed === 0 ? [] : `${counted(failed, "item", "items")} failed`,
    refused === 0 ? [] : `${counted(refused, "item was", "items were")} refused`,
    open === 0 ? [] : `of ${counted(open, "item", "items")} it is not known whether they were written`,
  ].flat();
  const message = `${parts.join(", ")}; ${counted(created + updated, "item was", "items were")} changed.`;
  if (created + updated + unchanged + open === 0)
    return { outcome: "failed", code: "provider_refused", message };
  return { outcome: "partially_succeeded", message };
}
