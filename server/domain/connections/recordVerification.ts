import type { Tx } from "../../db/database.ts";
import { type AuditEvent, recordAudit } from "../audit/recordAudit.ts";

type Verified = {
  connectionId: string;
  /** The version that was tried: a result about an older credential says nothing about the present one. */
  credentialVersion: number;
  grantedRoles: readonly string[];
  runId: string;
};

type Rejected = { connectionId: string; credentialVersion: number | null; cause: string; runId: string };

/**
 * Records that a connection was proved; an approval that was asked for counts as given until it is asked for
 * again. An authority change: the transaction must hold the connection's key exclusively (see
 * `changesAuthority` in the catalog). False when the credential has changed meanwhile.
 */
export async function recordVerification(tx: Tx, verified: Verified): Promise<boolean> {
  const [row] = await tx.query<ConnectionRow>(
    `update provider_connections c set status = 'verified', cause = null, verified_at = clock_timestamp(),
       verified_version = c.credential_version, granted_roles = $3, approval_required = null
     from tenants t, provider_connections before
     where c.id = $1 and c.credential_version = $2 and t.id = c.tenant_id and before.id = c.id
     returning c.tenant_id as "tenantId", t.workspace_id as "workspaceId", before.status as before`,
    [verified.connectionId, verified.credentialVersion, verified.grantedRoles],
  );
  if (row === undefined) return false;
  const { grantedRoles } = verified;
  await recordAudit(tx, {
    ...eventAbout(row, verified),
    action: "connection.verified",
    outcome: "done",
    details: { before: row.before, after: "verified", grantedRoles, run: verified.runId },
  });
  return true;
}

/**
 * Records that the provider refuses a connection, and why. An authority change like `recordVerification`.
 * `credentialVersion` null: none was stored. False when the credential has changed meanwhile or the same was
 * known already.
 */
export async function recordRejection(tx: Tx, rejected: Rejected): Promise<boolean> {
  const [row] = await tx.query<ConnectionRow>(
    `update provider_connections c set status = 'invalid', cause = $3
     from tenants t, provider_connections before
     where c.id = $1 and c.credential_version = coalesce($2::integer, c.credential_version)
       and t.id = c.tenant_id and (c.status, c.cause) is distinct from ('invalid', $3) and before.id = c.id
     returning c.tenant_id as "tenantId", t.workspace_id as "workspaceId", before.status as before`,
    [rejected.connectionId, rejected.credentialVersion, rejected.cause.slice(0, 500)],
  );
  if (row === undefined) return false;
  const { cause, runId } = rejected;
  await recordAudit(tx, {
    ...eventAbout(row, rejected),
    action: "connection.rejected",
    outcome: "failed",
    details: { before: row.before, after: "invalid", cause, run: runId },
  });
  return true;
}

type ConnectionRow = { tenantId: string; workspaceId: string; before: string };

/** Nobody in particular did it: the provider answered, and a run heard. */
function eventAbout(
  { workspaceId, tenantId }: ConnectionRow,
  { connectionId }: { connectionId: string },
): Pick<AuditEvent, "workspaceId" | "tenantId" | "actor" | "subject"> {
  return { workspaceId, tenantId, actor: null, subject: { type: "connection", id: connectionId } };
}
