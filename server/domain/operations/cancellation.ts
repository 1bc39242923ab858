import type { Capability } from "../authority/capabilities.ts";
import { mayAt, type Place } from "../authority/places.ts";
import type { Viewer } from "../authority/viewer.ts";
import type { Ending } from "./ending.ts";
import type { Run } from "./run.ts";

/** How a run ends that somebody asked to cancel; null for one that nobody did. */
export function cancellationOf(run: Pick<Run, "cancelRequestedAt" | "cancelledByName">): Ending | null {
  return run.cancelRequestedAt === null ? null : { outcome: "cancelled", by: run.cancelledByName };
}

/** The right that the viewer lacks to cancel a run at that place; null when they may (handbook 1, "Capabilities"). */
export function lackingToCancel(viewer: Viewer, place: Place): Capability | null {
  if (mayAt(viewer, "operations.cancel_any", place)) return null;
  if (!place.own) return "operations.cancel_any";
  return mayAt(viewer, "operations.cancel", place) ? null : "operations.cancel";
}
