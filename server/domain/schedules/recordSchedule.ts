import type { Tx } from "../../db/database.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";
import type { KeptSchedule } from "./keptSchedule.ts";

type What = "created" | "changed" | "paused" | "resumed" | "deleted" | "taken_over" | "transferred";

/** Writes the audit entry of a change to a schedule, with what it was and what it is. */
export async function recordSchedule(
  tx: Tx,
  actor: Actor,
  what: What,
  schedule: Pick<KeptSchedule, "id" | "workspaceId" | "tenantId" | "operation">,
  details: Record<string, unknown>,
): Promise<void> {
  await recordAudit(tx, {
    workspaceId: schedule.workspaceId,
    tenantId: schedule.tenantId,
    actor,
    action: `schedule.${what}`,
    subject: { type: "schedule", id: schedule.id },
    outcome: "done",
    details: { operation: schedule.operation, ...details },
  });
}
