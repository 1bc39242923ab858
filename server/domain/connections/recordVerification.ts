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
 * Records that a connection was proved. An authority change: the transaction must hold the connection's key
 * exclusively (see `changesAuthority` in the catalog). False when the credential has changed meanwhile.
 */
export async function recordVerification(tx: Tx, verified: Verified): Promise<boolean> {
  const [row] = await tx.query<ConnectionRow>(
    `update provider_connections c set status = 'verified', cause = null, verified_at = clock_timestamp(),
       verified_version = c.credential_version, granted_roles = $3
     from tenants t
     where c.id = $1 and c.credential_version = $2 and t.id = c.tenant_id
     returning c.tenant_id as "tenantId", t.workspace_id as "workspaceId"`,
    [verified.connectionId, verified.credentialVersion, verified.grantedRoles],
  );
  if (row === undefined) return false;
  await recordAudit(
    tx,
    eventOf(row, "connection.verified", verified, { grantedRoles: verified.grantedRoles }),
  );
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
     from tenants t
     where c.id = $1 and c.credential_version = coalesce($2::integer, c.credential_version)
       and t.id = c.tenant_id and (c.status, c.cause) is distinct from ('invalid', $3)
     returning c.tenant_id as "tenantId", t.workspace_id as "workspaceId"`,
    [rejected.connectionId, rejected.credentialVersion, rejected.cause.slice(0, 500)],
  );
  if (row === undefined) return false;
  await recordAudit(tx, eventOf(row, "connection.rejected", rejected, { cause: rejected.cause }));
  return true;
}

type ConnectionRow = { tenantId: string; workspaceId: string };

function eventOf(
  row: ConnectionRow,
  action: string,
  { connectionId, runId }: { connectionId: string; runId: string },
  details: Record<string, unknown>,
): AuditEvent {
  return {
    workspaceId: row.workspaceId,
    tenantId: row.tenantId,
    actor: null,
    action,
    subject: { type: "connection", id: connectionId },
    outcome: action === "connection.verified" ? "done" : "failed",
    details: { ...details, run: runId },
  };
}
