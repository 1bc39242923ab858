import { randomUUID } from "node:crypto";
import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import type { Decision } from "../domain/authority/decide.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { contractOf } from "../domain/operations/catalog.ts";
import type { Difference } from "../domain/operations/describeDifference.ts";
import type { ShownRun } from "../domain/operations/findRunFor.ts";
import { previewRerun, type RerunPreview } from "../domain/operations/rerunRun.ts";
import { rerunLabel } from "../domain/operations/runActions.ts";
import { reasonClause, titleOf } from "../domain/operations/runWords.ts";
import { paths } from "../http/paths.ts";
import { type ExpiryOption, expiryOptions } from "./expiry.ts";

export type RerunPage = {
  title: string;
  label: string;
  question: string;
  sentences: string[];
  difference: Difference[];
  /** What would be answered now. */
  verdict: string;
  isPossible: boolean;
  address: string;
  requestKey: string;
  expiries: ExpiryOption[];
};

/** Throws `Conflict` when the run cannot be asked for again. */
export async function readRerunPage(
  reader: Reader,
  viewer: Viewer,
  run: ShownRun,
  config: { REQUEST_EXPIRY_HOURS: number },
): Promise<RerunPage> {
  const preview = await previewRerun(reader, viewer, run);
  const label = rerunLabel(run, viewer);
  const where = run.tenantName === null ? "" : ` at ${run.tenantName}`;
  return {
    title: titleOf(run.operation),
    label,
    question: `${label}: “${titleOf(preview.again.operation)}”${where}?`,
    sentences: sentencesFor(run, viewer, preview),
    difference: preview.difference,
    verdict: verdictWords(run, viewer, preview),
    isPossible: preview.decision.verdict !== "denied",
    address: paths.run(run.id),
    requestKey: randomUUID(),
    expiries: expiryOptions(config.REQUEST_EXPIRY_HOURS),
  };
}

function sentencesFor(run: ShownRun, { user }: Viewer, { again, difference }: RerunPreview): string[] {
  const whose = run.initiatorId === user.id ? "what you may now" : "what you may, not what anybody else may";
  const isOther = again.operation !== run.operation;
  return [
    `A new run, authorized as you, ${user.name}: it goes by ${whose}. It is linked with this one.`,
    ...(isOther
      ? [
          "A preview is carried out once. This makes a new one with the same source, items and choices; nothing is written until you confirm it.",
        ]
      : []),
    difference.length === 0
      ? "It works on exactly the same as that run did."
      : "What it works on is taken anew, and differs:",
  ];
}

function verdictWords(run: ShownRun, viewer: Viewer, { again, decision }: RerunPreview): string {
  if (decision.verdict !== "denied") return `It would be accepted now.${holdWords(decision)}`;
  if (decision.denialClass === "capability_denied") {
    const { capability } = contractOf(again.operation);
    return `You need ${capability} to ${capabilities[capability]}.`;
  }
  const subject = { ...again, initiatorName: viewer.user.name, tenantName: run.tenantName };
  return `It would be blocked now: ${reasonClause(subject, decision.reasonCode, decision.checks).replace(/\.$/, "")}.`;
}

function holdWords(decision: Decision): string {
  return decision.verdict === "deferred" ? " It would wait for its turn." : "";
}
