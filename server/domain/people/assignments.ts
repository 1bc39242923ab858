import type { Reader } from "../../db/database.ts";

/** A set of capabilities as people are given it. */
export type Role = { id: string; name: string; capabilities: readonly string[] };

/** A role a member holds: at one tenant, or at all of them (`tenantId` null), optionally until a time. */
export type Assignment = {
  id: string;
  role: Role;
  tenantId: string | null;
  tenantName: string | null;
  expiresAt: Date | null;
  /** Its time is over, by the database's clock: it grants nothing. */
  lapsed: boolean;
};

/** A member's assignments, those at all tenants first. At most 1,000. */
export async function listAssignments(
  reader: Reader,
  workspaceId: string,
  userId: string,
): Promise<Assignment[]> {
  return reader.query<Assignment>(
    `select a.id, jsonb_build_object('id', r.id, 'name', r.name, 'capabilities', r.capabilities) as role,
       a.tenant_id as "tenantId", p.name as "tenantName", a.expires_at as "expiresAt",
       coalesce(a.expires_at <= clock_timestamp(), false) as lapsed
     from role_assignments a
     join roles r on r.id = a.role_id
     left join tenant_profiles p on p.tenant_id = a.tenant_id
     where a.workspace_id = $1 and a.user_id = $2
     order by a.tenant_id is not null, lower(p.name), a.id limit 1000`,
    [workspaceId, userId],
  );
}
