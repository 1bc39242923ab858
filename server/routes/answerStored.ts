import type { Response } from "express";
import { Forbidden, NotFound } from "../domain/errors.ts";
import type { RequestOutcome } from "../domain/operations/requestRun.ts";
import { paths } from "../http/paths.ts";

/** Answers a form that asked for a run: the 403 or 404, the run's page if it is blocked already, or `next`. */
export function answerStored(
  res: Response,
  outcome: RequestOutcome,
  next: (runId: string) => string = paths.run,
): void {
  if (outcome.kind === "stored") {
    res.redirect(303, outcome.blocked ? paths.run(outcome.runId) : next(outcome.runId));
    return;
  }
  if (outcome.denialClass === "capability_denied") throw new Forbidden(outcome.capability);
  throw new NotFound();
}
