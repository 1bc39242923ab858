import type { Tx } from "../../db/database.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";

/**
 * Takes an archived tenant back to onboarding, for who gives it new credentials in the same transaction
 * (handbook 1, "Tenant lifecycle"). An authority change: the transaction must hold the tenant's key.
 */
export async function bringBack(
  tx: Tx,
  { actor, workspaceId, tenantId }: { actor: Actor; workspaceId: string; tenantId: string },
): Promise<void> {
  await tx.query("update tenants set lifecycle = 'onboarding' where id = $1", [tenantId]);
  await recordAudit(tx, {
    workspaceId,
    tenantId,
    actor,
    action: "tenant.lifecycle_changed",
    subject: { type: "tenant", id: tenantId },
    outcome: "done",
    details: { before: "archived", after: "onboarding" },
  });
}
