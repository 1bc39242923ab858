import { mayAt } from "../authority/places.ts";
import type { Viewer } from "../authority/viewer.ts";
import { isOnMany, operationAgain } from "./askAgain.ts";
import { lackingToCancel } from "./cancellation.ts";
import { contractOf, isOperationName } from "./catalog.ts";
import type { ShownRun } from "./findRunFor.ts";
import { offersRerun } from "./nextStep.ts";

/** What the viewer can do with a run. */
export type RunActions = {
  cancel: boolean;
  /** What asking for it again is called for this viewer; null when they cannot. */
  rerun: string | null;
  dismiss: boolean;
};

export function actionsOn(run: ShownRun, viewer: Viewer): RunActions {
  const place = placeOf(run, viewer);
  const isAsked = run.cancelRequestedAt !== null;
  return {
    cancel: run.status !== "completed" && !isAsked && lackingToCancel(viewer, place) === null,
    rerun: mayRerun(run, viewer) ? rerunLabel(run, viewer) : null,
    dismiss: run.needsAttention && mayAt(viewer, "operations.rerun", place),
  };
}

/** "Take over" is running again what somebody else had asked for. */
export function rerunLabel(run: ShownRun, viewer: Viewer): string {
  if (run.operation === "restore.execute") return "Preview again";
  if (run.initiatorId === null) return "Run as yourself";
  return run.initiatorId === viewer.user.id ? "Run again" : "Take over";
}

function mayRerun(run: ShownRun, viewer: Viewer): boolean {
  if (run.status !== "completed" || !offersRerun(run) || !isOperationName(run.operation)) return false;
  if (run.tenantId !== null && !run.tenantExists) return false;
  if (isOnMany(run.operation) && !leavesSomething(run, viewer)) return false;
  const { capability } = contractOf(operationAgain(run.operation));
  const place = placeOf(run, viewer);
  return mayAt(viewer, "operations.rerun", place) && mayAt(viewer, capability, place);
}

/** A sync can be had again; what was deleted or assigned cannot. What is left is chosen in its own workspace. */
function leavesSomething({ operation, outcome, workspaceId }: ShownRun, viewer: Viewer): boolean {
  const isAllDone = outcome === "succeeded" && operation !== "tenants.bulk_sync";
  return !isAllDone && workspaceId === viewer.selectedWorkspaceId;
}

function placeOf({ workspaceId, tenantId, initiatorId }: ShownRun, viewer: Viewer) {
  return { workspaceId, tenantId, own: initiatorId === viewer.user.id };
}
