import type { Reader } from "../../db/database.ts";
import { type Decision, decide } from "../authority/decide.ts";
import { gatherFacts } from "../authority/gatherFacts.ts";
import { previewMaxAge } from "../authority/prerequisiteChecks.ts";
import type { Viewer } from "../authority/viewer.ts";
import { freezeRequest } from "../operations/freezeRequest.ts";
import { subjectOf } from "../operations/run.ts";
import type { RestorePlan } from "./plans.ts";
import { listTypesToWrite } from "./requestRestore.ts";

/** What would be answered if the viewer confirmed the finished plan now. Takes no locks and promises nothing. */
export async function previewExecution(reader: Reader, viewer: Viewer, plan: RestorePlan): Promise<Decision> {
  if (viewer.workspace === null || plan.digest === null)
    throw new Error("Only a finished plan of the viewer's workspace can be carried out.");
  const frozen = await freezeRequest(reader, {
    operation: "restore.execute",
    workspaceId: viewer.workspace.id,
    tenantId: plan.tenantId,
    initiator: viewer.user,
    trigger: "page",
    requestKey: null,
    expiresInHours: 1,
    target: { planId: plan.id, digest: plan.digest, types: await listTypesToWrite(reader, plan.id) },
    backupSetId: plan.sourceSetId,
  });
  const facts = (await gatherFacts(reader, [subjectOf(frozen)], "request")).get(frozen.id);
  if (facts === undefined) throw new Error("The facts about a restore were not found.");
  return decide(facts);
}

/** Until when a finished preview may be carried out. */
export function endOfPreview(completedAt: Date): Date {
  return new Date(completedAt.getTime() + previewMaxAge);
}
