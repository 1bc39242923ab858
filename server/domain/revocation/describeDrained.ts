import { counted } from "../operations/runWords.ts";
import type { Drained } from "./drainWrites.ts";

/**
 * What became of the calls that were on their way to Microsoft when a right was taken, as sentences for the
 * notice after it; empty when there were none.
 */
export function drainedWords({ done, failed, unknown }: Drained): string {
  const all = done + failed + unknown;
  if (all === 0) return "";
  const waited = `${counted(all, "change", "changes")} already on the way to Microsoft ${all === 1 ? "was" : "were"} waited for:`;
  const parts = [
    ...(done > 0 ? [`${done} had been made`] : []),
    ...(failed > 0 ? [`${failed} ${failed === 1 ? "was" : "were"} not made`] : []),
    ...(unknown > 0
      ? [
          `of ${unknown} it is not known; the ${unknown === 1 ? "run's page says" : "runs' pages say"} what to check`,
        ]
      : []),
  ];
  return `${waited} ${parts.join(", ")}. Nothing further is sent under authority that no longer holds.`;
}
