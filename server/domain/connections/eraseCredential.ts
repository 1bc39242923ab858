import type { Tx } from "../../db/database.ts";

/**
 * Deletes a connection's sealed proof and forgets what was known with it. An authority change: the
 * transaction must hold the connection's key. Returns whether a proof was stored.
 */
export async function eraseCredential(tx: Tx, connectionId: string): Promise<boolean> {
  const erased = await tx.query(
    "delete from provider_credentials where connection_id = $1 returning connection_id",
    [connectionId],
  );
  await tx.query(
    `update provider_connections set status = 'unverified', cause = null, verified_at = null,
       verified_version = null, granted_roles = '{}', credential_expires_at = null, approval_required = null
     where id = $1`,
    [connectionId],
  );
  return erased.length > 0;
}
