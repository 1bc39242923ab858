import type { Tx } from "../../db/database.ts";
import type { Lifecycle } from "../authority/contract.ts";
import { NotFound } from "../errors.ts";

export type LockedTenant = {
  name: string;
  lifecycle: Lifecycle;
  connection: { id: string; status: "unverified" | "verified" | "invalid" } | null;
  isHeld: boolean;
};

/** The tenant as it is now, for a transaction that holds its authority key. Throws `NotFound`. */
export async function getLockedTenant(tx: Tx, workspaceId: string, tenantId: string): Promise<LockedTenant> {
  const [tenant] = await tx.query<LockedTenant>(
    `select p.name, t.lifecycle, h.tenant_id is not null as "isHeld",
       case when c.id is not null then jsonb_build_object('id', c.id, 'status', c.status) end as connection
     from tenants t
     join tenant_profiles p on p.tenant_id = t.id
     left join tenant_holds h on h.tenant_id = t.id
     left join provider_connections c on c.tenant_id = t.id
     where t.id = $2 and t.workspace_id = $1`,
    [workspaceId, tenantId],
  );
  if (tenant === undefined) throw new NotFound();
  return tenant;
}
