import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import type { Decision } from "../domain/authority/decide.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { reasonClause } from "../domain/operations/runWords.ts";
import type { PlanAction } from "../domain/restores/planItems.ts";
import type { RestorePlan } from "../domain/restores/plans.ts";
import { endOfPreview, previewExecution } from "../domain/restores/previewExecution.ts";
import { findTenantFor } from "../domain/tenants/findTenantFor.ts";
import { paths } from "../http/paths.ts";

/** Whether a finished preview can be confirmed, and what is in the way. */
export type Readiness = {
  state: "ready" | "taken" | "nothing" | "blocked";
  /** Why not, or what it would wait for, as a sentence. */
  why: string | null;
  /** Where what is in the way is mended, or what came of it. */
  link: { href: string; label: string } | null;
  /** Only a new preview helps. */
  needsNewPreview: boolean;
};

export async function readReadiness(
  reader: Reader,
  viewer: Viewer,
  plan: RestorePlan,
  { create, update }: Record<PlanAction, number>,
): Promise<Readiness> {
  if (plan.runId !== null)
    return {
      state: "taken",
      why: "It was carried out. A preview is carried out once only.",
      link: { href: paths.run(plan.runId), label: "View the restore" },
      needsNewPreview: true,
    };
  if (create + update === 0) return { state: "nothing", why: null, link: null, needsNewPreview: false };
  const decision = await previewExecution(reader, viewer, plan);
  if (decision.verdict === "denied") return blockedBy(decision, viewer, plan);
  const tenant = await findTenantFor(reader, viewer, plan.tenantId);
  const hold = tenant?.workspaceHold ?? tenant?.hold ?? null;
  const why =
    hold === null ? null : `It would wait: ${hold.by} has put the tenant on hold (“${hold.reason}”).`;
  return { state: "ready", why, link: null, needsNewPreview: false };
}

type Denial = Extract<Decision, { verdict: "denied" }>;

function blockedBy(decision: Denial, viewer: Viewer, plan: RestorePlan): Readiness {
  const { reasonCode, denialClass, checks } = decision;
  if (denialClass === "capability_denied")
    return {
      state: "blocked",
      why: `You need restore.execute to ${capabilities["restore.execute"]}. Somebody who holds it can confirm this preview: send them the address of this page.`,
      link: null,
      needsNewPreview: false,
    };
  const subject = {
    operation: "restore.execute",
    initiatorName: viewer.user.name,
    tenantName: plan.tenantName,
  };
  const clause = reasonClause(subject, reasonCode, checks).replace(/\.$/, "");
  const gate = checks.write_gate;
  const detail = gate.result === "failed" ? ` (${gate.value})` : "";
  const mendable = may(viewer, "tenant.view", plan.tenantId) && denialClass !== "scope_denied";
  const needsNewPreview = isOutdated(plan);
  return {
    state: "blocked",
    why: `It would be blocked now: ${clause}${detail}.`,
    link:
      mendable && !needsNewPreview
        ? {
            href: paths.tenant(plan.tenantId),
            label: reasonCode === "write_gate_blocked" ? "Open the write gate" : "Open the tenant",
          }
        : null,
    needsNewPreview,
  };
}

function isOutdated({ staleReason, completedAt }: RestorePlan): boolean {
  return staleReason !== null || (completedAt !== null && endOfPreview(completedAt) <= new Date());
}
