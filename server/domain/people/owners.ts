import type { Reader, Tx } from "../../db/database.ts";
import type { Capability } from "../authority/capabilities.ts";
import type { Assignment } from "./assignments.ts";

/**
 * An owner is whoever can give every right back: both of these, at all tenants and without an end. What their
 * role is called plays no part.
 */
const rightsOfOwners: readonly Capability[] = ["workspace.manage", "member.manage"];

/** Whether these assignments make an active member an owner. */
export function makeOwner(assignments: readonly Assignment[]): boolean {
  const lasting = assignments.filter(({ tenantId, expiresAt }) => tenantId === null && expiresAt === null);
  return rightsOfOwners.every((right) => lasting.some(({ role }) => role.capabilities.includes(right)));
}

/** Two owners who leave at the same moment must see each other go. No authority key: gates do not wait for it. */
export async function lockOwners(tx: Tx, workspaceId: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`owners:${workspaceId}`]);
}

export async function hasOtherOwner(reader: Reader, workspaceId: string, userId: string): Promise<boolean> {
  const rows = await reader.query(
    `select 1 from memberships m
     join users u on u.id = m.user_id and u.status = 'active'
     where m.workspace_id = $1 and m.user_id <> $2 and m.status = 'active'
       and (select array_agg(c) from role_assignments a
         join roles r on r.id = a.role_id cross join unnest(r.capabilities) as c
         where a.workspace_id = m.workspace_id and a.user_id = m.user_id
           and a.tenant_id is null and a.expires_at is null) @> $3::text[]
     limit 1`,
    [workspaceId, userId, rightsOfOwners],
  );
  return rows.length > 0;
}
