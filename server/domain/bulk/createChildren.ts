import type { Tx } from "../../db/database.ts";
import type { PolicyType } from "../../provider/policyTypes.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";
import { type Decision, decide } from "../authority/decide.ts";
import { gatherFacts } from "../authority/gatherFacts.ts";
import { enqueueRuns } from "../operations/enqueue.ts";
import { type FrozenRun, freezeRequest, insertRun, type RunRequest } from "../operations/freezeRequest.ts";
import { type Run, runColumns, subjectOf } from "../operations/run.ts";
import type { EffectSummary } from "../operations/runEffect.ts";

/**
 * Asks, for a parent run, for a sync of each of these tenants, under the parent's authority and expiry. Each has
 * its own gate when it begins. Where its initiator could not ask any more none is made: those count as `left_out`.
 * The transaction is an effect of the parent, so it holds what the initiator's rights rest on.
 */
export async function createChildren(
  tx: Tx,
  parentId: string,
  tenantIds: readonly string[],
  types: readonly PolicyType[],
): Promise<EffectSummary> {
  const parent = await getParent(tx, parentId);
  const asked = await freezeAll(tx, parent, tenantIds, types);
  const facts = await gatherFacts(
    tx,
    asked.map(({ run }) => subjectOf(run)),
    "request",
  );
  const accepted = asked.flatMap(({ run, request }) => {
    const known = facts.get(run.id);
    const decision = known === undefined ? undefined : decide(known);
    return decision === undefined || isRefused(decision) ? [] : [{ run, request, decision }];
  });
  for (const { run, request, decision } of accepted) await insertRun(tx, request, run, decision);
  await recordAudit(tx, ...accepted.map(({ run }) => requested(run, parent)));
  await enqueueRuns(
    tx,
    accepted.map(({ run }) => run.id),
  );
  const leftOut = asked.length - accepted.length;
  return { items: leftOut, counts: leftOut === 0 ? {} : { left_out: leftOut } };
}

async function getParent(tx: Tx, parentId: string): Promise<Run> {
  const [parent] = await tx.query<Run>(`select ${runColumns} from operation_runs where id = $1`, [parentId]);
  if (parent === undefined) throw new Error(`There is no run ${parentId}.`);
  return parent;
}

async function freezeAll(
  tx: Tx,
  parent: Run,
  tenantIds: readonly string[],
  types: readonly PolicyType[],
): Promise<{ request: RunRequest; run: FrozenRun }[]> {
  const asked = [];
  for (const tenantId of tenantIds) {
    const request = requestAt(parent, tenantId, types);
    const run = await freezeRequest(tx, request);
    // "Do not start after" is what was said when all of it was asked for.
    asked.push({ request, run: { ...run, expiresAt: parent.expiresAt } });
  }
  return asked;
}

function requestAt(parent: Run, tenantId: string, types: readonly PolicyType[]): RunRequest {
  const { id, workspaceId, initiatorId, initiatorName, scheduleId } = parent;
  return {
    operation: "inventory.sync",
    workspaceId,
    tenantId,
    initiator: initiatorId === null ? null : { id: initiatorId, name: initiatorName ?? "" },
    trigger: "bulk",
    requestKey: null,
    expiresInHours: 1,
    target: { types: [...types] },
    parentRunId: id,
    ...(scheduleId !== null && { scheduleId }),
  };
}

/** As for any request: what stands in the way of the tenant, not of the asker, is the run's own to end of. */
function isRefused(decision: Decision): boolean {
  return (
    decision.verdict === "denied" &&
    ["scope_denied", "initiator_invalid", "capability_denied"].includes(decision.denialClass)
  );
}

function requested(run: FrozenRun, parent: Run): AuditEvent {
  const { workspaceId, tenantId, operation, authorityMode, initiatorId, initiatorName } = run;
  return {
    workspaceId,
    tenantId,
    actor: initiatorId === null ? null : { id: initiatorId, name: initiatorName ?? "" },
    action: "run.requested",
    subject: { type: "run", id: run.id },
    outcome: "allowed",
    details: { operation, authorityMode, trigger: "bulk", parent: parent.id },
  };
}
