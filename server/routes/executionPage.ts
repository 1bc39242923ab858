import { randomUUID } from "node:crypto";
import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { counted } from "../domain/operations/runWords.ts";
import { type PlanAction, planTallies } from "../domain/restores/planItems.ts";
import { findPlanFor, type RestorePlan } from "../domain/restores/plans.ts";
import { endOfPreview } from "../domain/restores/previewExecution.ts";
import { paths } from "../http/paths.ts";
import { type ExpiryOption, expiryOptions } from "./expiry.ts";
import { readReadiness } from "./restoreReadiness.ts";
import { optionsInWords } from "./restoreWords.ts";
import type { Problems } from "./tried.ts";

/** A confirmation as it was sent. */
export type SentConfirmation = {
  tenantName: string;
  reason: string;
  digest: string;
  hours: number;
  requestKey: string;
  problems: Problems;
};

export type ExecutionPage = {
  tenantName: string;
  address: string;
  question: string;
  meaning: string[];
  options: string[];
  until: Date;
  digest: string;
  requestKey: string;
  expiries: ExpiryOption[];
  sent: Pick<SentConfirmation, "tenantName" | "reason" | "problems">;
};

/** What confirming would do. Undefined when there is nothing that could be confirmed (now). */
export async function readExecutionPage(
  reader: Reader,
  viewer: Viewer,
  planId: string,
  config: { REQUEST_EXPIRY_HOURS: number },
  sent?: SentConfirmation,
): Promise<ExecutionPage | undefined> {
  const plan = await findPlanFor(reader, viewer, planId);
  if (plan === undefined || plan.completedAt === null || plan.digest === null) return undefined;
  const { actions } = await planTallies(reader, planId);
  const { state, why } = await readReadiness(reader, viewer, plan, actions);
  if (state !== "ready") return undefined;
  return {
    tenantName: plan.tenantName,
    address: paths.restore(planId),
    question: questionFor(plan, actions),
    meaning: [...meaningOf(actions), ...(why === null ? [] : [why])],
    options: optionsInWords(plan.options),
    until: endOfPreview(plan.completedAt),
    digest: sent?.digest ?? plan.digest,
    requestKey: sent?.requestKey ?? randomUUID(),
    expiries: expiryOptions(config.REQUEST_EXPIRY_HOURS, sent?.hours),
    sent: sent ?? { tenantName: "", reason: "", problems: {} },
  };
}

function questionFor({ tenantName }: RestorePlan, { create, update }: Record<PlanAction, number>): string {
  return `Restore ${counted(create + update, "policy", "policies")} at ${tenantName}?`;
}

function meaningOf({ create, update, unchanged, refused }: Record<PlanAction, number>): string[] {
  const left = unchanged + refused;
  return [
    ...(create === 0
      ? []
      : [
          `${counted(create, "policy is", "policies are")} created. A restore never deletes, so undoing does not remove them.`,
        ]),
    ...(update === 0
      ? []
      : [
          `${counted(update, "policy is", "policies are")} changed. Each is kept as it is before that, so that it can be put back.`,
        ]),
    ...(left === 0 ? [] : [`${counted(left, "other item is", "other items are")} left alone.`]),
    "You are authorized again before each of them. What moved since the preview is not written over.",
  ];
}
