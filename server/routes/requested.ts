import type { Response } from "express";
import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { Forbidden, NotFound } from "../domain/errors.ts";
import { findRunFor } from "../domain/operations/findRunFor.ts";
import type { Identical } from "../domain/operations/identicalRuns.ts";
import type { RequestOutcome } from "../domain/operations/requestRun.ts";
import { badgeOf, titleOf } from "../domain/operations/runWords.ts";
import { paths } from "../http/paths.ts";

/** The form that was sent, to be sent once more by who wants a second run. */
export type SentForm = { action: string; fields: readonly { name: string; value: string }[] };

/** Answers a form that asked for a run: its page, the 403 or 404, or an identical one that is open. */
export async function answerRequest(
  reader: Reader,
  { res, viewer }: { res: Response; viewer: Viewer },
  outcome: RequestOutcome | Identical,
  sent: SentForm,
): Promise<void> {
  switch (outcome.kind) {
    case "stored":
      return res.redirect(303, paths.run(outcome.runId));
    case "identical":
      return offerIdentical(reader, { res, viewer }, outcome.runId, sent);
    case "refused":
      if (outcome.denialClass === "capability_denied") throw new Forbidden(outcome.capability);
      throw new NotFound();
  }
}

async function offerIdentical(
  reader: Reader,
  { res, viewer }: { res: Response; viewer: Viewer },
  runId: string,
  { action, fields }: SentForm,
): Promise<void> {
  const run = await findRunFor(reader, viewer, runId);
  // It may have ended this moment: its page tells.
  if (run === undefined) return res.redirect(303, paths.run(runId));
  const page = {
    title: titleOf(run.operation),
    badge: badgeOf(run),
    isRunning: run.status === "running",
    tenantName: run.tenantName,
    initiator: run.initiatorId === viewer.user.id ? "you" : (run.initiatorName ?? "the system"),
    requestedAt: run.requestedAt,
    address: paths.run(run.id),
    action,
    fields: [...fields, { name: "force", value: "yes" }],
  };
  res.status(409).render("operations/identical", { page });
}
