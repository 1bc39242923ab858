import { counted } from "../operations/runWords.ts";
import type { Released } from "./hold.ts";

/** What a release did, for the notice after it. */
export function releaseWords(released: Released, what: "tenant" | "workspace"): string {
  if (released.kind === "not_held") return `The ${what} was not on hold.`;
  if (released.runs === 0) return "Released. Nothing was waiting for it.";
  return `Released. ${counted(released.runs, "waiting run is", "waiting runs are")} on the way, each authorized afresh.`;
}
