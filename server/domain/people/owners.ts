import type { Reader, Tx } from "../../db/database.ts";
import type { Capability } from "../authority/capabilities.ts";
import type { Assignment, Role } from "./assignments.ts";

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

export function hasOtherOwner(reader: Reader, workspaceId: string, userId: string): Promise<boolean> {
  return hasOwner(reader, workspaceId, { without: userId });
}

/** Whether a workspace that has an owner would have none if a role allowed these from now on. */
export async function takesOwnersAway(
  reader: Reader,
  workspaceId: string,
  then: Pick<Role, "id" | "capabilities">,
): Promise<boolean> {
  if (await hasOwner(reader, workspaceId, { role: then })) return false;
  return hasOwner(reader, workspaceId, {});
}

type Supposed = { without?: string; role?: Pick<Role, "id" | "capabilities"> };

async function hasOwner(reader: Reader, workspaceId: string, { without, role }: Supposed): Promise<boolean> {
  const rows = await reader.query(
    `select 1 from memberships m
     join users u on u.id = m.user_id and u.status = 'active'
     where m.workspace_id = $1 and m.user_id is distinct from $2::uuid and m.status = 'active'
       and (select array_agg(c) from role_assignments a
         join roles r on r.id = a.role_id
         cross join unnest(case when r.id = $4::uuid then $5::text[] else r.capabilities end) as c
         where a.workspace_id = m.workspace_id and a.user_id = m.user_id
           and a.tenant_id is null and a.expires_at is null) @> $3::text[]
     limit 1`,
    [workspaceId, without ?? null, rightsOfOwners, role?.id ?? null, role?.capabilities ?? null],
  );
  return rows.length > 0;
}
