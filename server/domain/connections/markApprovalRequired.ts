import type { Db, Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";

type AskedFor = { connectionId: string; credentialVersion: number | null; cause: string; runId: string };

/**
 * Keeps that the tenant asks somebody to approve before we may write: a second administrator, or its own
 * conditional access (handbook 4, "Errors"). An authority change of its own, outside any effect: every run
 * that writes there is denied from its next gate on, until a verification clears it. Nothing is kept when the
 * credential has changed meanwhile, or the same is known already. `cause` is shown, in words for a person.
 */
export async function markApprovalRequired(db: Db, asked: AskedFor): Promise<void> {
  await changeAuthority(db, [{ kind: "connection", id: asked.connectionId }], (tx) =>
    recordApprovalRequired(tx, asked),
  );
}

async function recordApprovalRequired(
  tx: Tx,
  { connectionId, credentialVersion, cause, runId }: AskedFor,
): Promise<void> {
  const [row] = await tx.query<{ tenantId: string; workspaceId: string; before: string | null }>(
    `update provider_connections c set approval_required = $3
     from tenants t, provider_connections before
     where c.id = $1 and c.credential_version = coalesce($2::integer, c.credential_version) and t.id = c.tenant_id and before.id = c.id
       and c.approval_required is distinct from $3
     returning c.tenant_id as "tenantId", t.workspace_id as "workspaceId", before.approval_required as before`,
    [connectionId, credentialVersion, cause.slice(0, 500)],
  );
  if (row === undefined) return;
  const { before, ...place } = row;
  await recordAudit(tx, {
    ...place,
    // Nobody in particular did it: the provider answered, and a run heard.
    actor: null,
    action: "connection.approval_required",
    subject: { type: "connection", id: connectionId },
    outcome: "failed",
    details: { before, after: cause, run: runId },
  });
}
