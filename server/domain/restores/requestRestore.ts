import type { Db, Reader } from "../../db/database.ts";
import { type PolicyType, policyTypes } from "../../provider/policyTypes.ts";
import type { Viewer } from "../authority/viewer.ts";
import { Conflict, Invalid, NotFound } from "../errors.ts";
import { type RequestOutcome, requestRun } from "../operations/requestRun.ts";
import { findPlanFor, type RestorePlan } from "./plans.ts";

export type RestoreRequest = {
  planId: string;
  /** Of the preview that the page showed. */
  digest: string;
  /** The target's name, typed by the person who confirms. */
  tenantName: string;
  reason: string;
  requestKey: string;
  expiresInHours: number;
};

/**
 * Confirms a preview: asks for the run that carries it out. Throws `NotFound` for a plan the viewer may not see,
 * `Invalid` (`tenantName`, `reason`) and `Conflict` where the preview is not (or no longer) the one to confirm.
 * Whether it is too old or was carried out is the gate's to say.
 */
export async function requestRestore(db: Db, viewer: Viewer, asked: RestoreRequest): Promise<RequestOutcome> {
  const plan = await findPlanFor(db, viewer, asked.planId);
  if (plan === undefined || viewer.workspace === null) throw new NotFound();
  refuseOtherPlan(plan, asked.digest);
  const reason = asked.reason.trim();
  refuseUnconfirmed(plan, asked.tenantName, reason);
  const types = await listTypesToWrite(db, plan.id);
  if (types.length === 0) throw new Conflict("The preview has nothing to write.");
  return requestRun(db, {
    operation: "restore.execute",
    workspaceId: viewer.workspace.id,
    tenantId: plan.tenantId,
    initiator: viewer.user,
    trigger: "page",
    requestKey: asked.requestKey,
    expiresInHours: asked.expiresInHours,
    target: { planId: plan.id, digest: asked.digest, types, reason },
    backupSetId: plan.sourceSetId,
  });
}

function refuseOtherPlan({ digest }: RestorePlan, confirmed: string): void {
  if (digest === null) throw new Conflict("The preview is not finished yet.");
  if (digest !== confirmed) throw new Conflict("The preview is not the one that was shown.");
}

function refuseUnconfirmed(plan: RestorePlan, tenantName: string, reason: string): void {
  const problems: Record<string, string> = {};
  if (tenantName.trim() !== plan.tenantName) problems.tenantName = `Type ${plan.tenantName} to confirm.`;
  if (reason === "") problems.reason = "Say why, for those who read about it later.";
  if (reason.length > 500) problems.reason = "Use at most 500 characters.";
  if (Object.keys(problems).length > 0) throw new Invalid(problems);
}

/** The types of what a plan writes, in the order of restoring: the run needs the permissions to write them. */
export async function listTypesToWrite(reader: Reader, planId: string): Promise<PolicyType[]> {
  const rows = await reader.query<{ type: PolicyType }>(
    `select distinct type from restore_items where plan_id = $1 and action in ('create', 'update')`,
    [planId],
  );
  return policyTypes.filter((type) => rows.some((row) => row.type === type));
}
