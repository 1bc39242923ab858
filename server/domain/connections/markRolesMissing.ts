import type { Db, Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";

type Refused = {
  connectionId: string;
  credentialVersion: number;
  roles: readonly string[];
  runId: string;
};

/**
 * Takes permissions that the provider refused off those known to be granted (handbook 4, "Errors"). An
 * authority change of its own, outside any effect: runs that write with them are denied from their next gate
 * on, until a verification finds them again. Nothing changes when the credential has changed meanwhile, or none
 * of the permissions was known.
 */
export async function markRolesMissing(db: Db, refused: Refused): Promise<void> {
  await changeAuthority(db, [{ kind: "connection", id: refused.connectionId }], (tx) =>
    recordRolesMissing(tx, refused),
  );
}

async function recordRolesMissing(
  tx: Tx,
  { connectionId, credentialVersion, roles, runId }: Refused,
): Promise<void> {
  const [row] = await tx.query<{
    tenantId: string;
    workspaceId: string;
    before: string[];
    after: string[];
  }>(
    `update provider_connections c
     set granted_roles = array(select role from unnest(c.granted_roles) with ordinality as g (role, n)
       where role <> all ($3::text[]) order by n)
     from tenants t, provider_connections before
     where c.id = $1 and c.credential_version = $2 and t.id = c.tenant_id and before.id = c.id
       and c.granted_roles && $3::text[]
     returning c.tenant_id as "tenantId", t.workspace_id as "workspaceId", before.granted_roles as before,
       c.granted_roles as after`,
    [connectionId, credentialVersion, roles],
  );
  if (row === undefined) return;
  const { before, after, ...place } = row;
  await recordAudit(tx, {
    ...place,
    // Nobody in particular did it: the provider answered, and a run heard.
    actor: null,
    action: "connection.permissions_lost",
    subject: { type: "connection", id: connectionId },
    outcome: "failed",
    details: { before, after, run: runId },
  });
}
