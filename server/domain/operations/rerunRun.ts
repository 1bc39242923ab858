import type { Db, Reader } from "../../db/database.ts";
import { type Decision, decide } from "../authority/decide.ts";
import { gatherFacts } from "../authority/gatherFacts.ts";
import type { Viewer } from "../authority/viewer.ts";
import { Conflict } from "../errors.ts";
import { type Again, askAgain } from "./askAgain.ts";
import { type Difference, describeDifference } from "./describeDifference.ts";
import type { ShownRun } from "./findRunFor.ts";
import { freezeRequest, type RunRequest } from "./freezeRequest.ts";
import { type Identical, requestUnlessIdentical } from "./identicalRuns.ts";
import { offersRerun } from "./nextStep.ts";
import { type RequestOutcome, requestRun } from "./requestRun.ts";
import { subjectOf } from "./run.ts";

export type RerunRequest = {
  requestKey: string;
  expiresInHours: number;
  /** Also when one that does the same is open. */
  force: boolean;
};

/**
 * Asks for a run again: a new run authorized as the viewer, who needs `operations.rerun` and the operation's own
 * capability; nothing of the old initiator's is inherited. What it works on is frozen anew. Throws `Conflict`
 * when that run cannot be asked for again.
 */
export async function rerunRun(
  db: Db,
  viewer: Viewer,
  run: ShownRun,
  { force, ...request }: RerunRequest,
): Promise<RequestOutcome | Identical> {
  const again = await getAgain(db, run);
  const asked = { ...requestFor(viewer, run, again), ...request };
  return force ? requestRun(db, asked) : requestUnlessIdentical(db, asked, viewer);
}

/** What asking again would do, and what would be answered now. Takes no locks and promises nothing. */
export type RerunPreview = { again: Again; difference: Difference[]; decision: Decision };

/** Throws `Conflict` when the run cannot be asked for again. */
export async function previewRerun(reader: Reader, viewer: Viewer, run: ShownRun): Promise<RerunPreview> {
  const again = await getAgain(reader, run);
  const frozen = await freezeRequest(reader, {
    ...requestFor(viewer, run, again),
    requestKey: null,
    expiresInHours: 1,
  });
  const facts = (await gatherFacts(reader, [subjectOf(frozen)], "request")).get(frozen.id);
  if (facts === undefined) throw new Error("The facts about a rerun were not found.");
  return { again, difference: describeDifference(run, again, frozen.connectionId), decision: decide(facts) };
}

async function getAgain(reader: Reader, run: ShownRun): Promise<Again> {
  requireEnded(run);
  const again = await askAgain(reader, run);
  if (again === null) throw cannotBeAskedForAgain();
  return again;
}

/** Throws `Conflict` for a run that has not ended, or of which asking again would lead nowhere. */
export function requireEnded(run: ShownRun): void {
  if (run.status !== "completed") throw new Conflict("It has not ended yet: cancel it first, or let it end.");
  if (!offersRerun(run)) throw cannotBeAskedForAgain();
}

function cannotBeAskedForAgain(): Conflict {
  return new Conflict(
    "It cannot be started again as it was: choose what to work on anew, where it was chosen then.",
  );
}

function requestFor(
  { user }: Viewer,
  run: ShownRun,
  { operation, target, backupSetId }: Again,
): Omit<RunRequest, "requestKey" | "expiresInHours"> & Pick<RunRequest, "target"> {
  return {
    operation,
    target,
    workspaceId: run.workspaceId,
    tenantId: run.tenantId,
    initiator: { id: user.id, name: user.name },
    trigger: "page",
    rerunOf: run.id,
    ...(backupSetId !== null && { backupSetId }),
  };
}
