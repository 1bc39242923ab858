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

/** The same for every workspace a person is a member of, in order. */
export async function lockOwnersOf(tx: Tx, userId: string): Promise<void> {
  await tx.query(
    `select pg_advisory_xact_lock(hashtextextended('owners:' || m.workspace_id::text, 0))
     from (select workspace_id from memberships where user_id = $1 order by workspace_id) m`,
    [userId],
  );
}

/** The workspaces of which this person is an owner and nobody else is. */
export async function listOnlyOwnedBy(
  reader: Reader,
  userId: string,
): Promise<{ id: string; name: string }[]> {
  return reader.query(
    `select w.id, w.name from memberships m join workspaces w on w.id = m.workspace_id
     where m.user_id = $1 and m.status = 'active' and ${isOwner("m", "$2")}
       and not exists (
         select 1 from memberships o join users u on u.id = o.user_id and u.status = 'active'
         where o.workspace_id = m.workspace_id and o.user_id <> m.user_id and o.status = 'active'
           and ${isOwner("o", "$2")})
     order by lower(w.name), w.id`,
    [userId, rightsOfOwners],
  );
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
       and ${isOwner("m", "$3", "case when r.id = $4::uuid then $5::text[] else r.capabilities end")}
     limit 1`,
    [workspaceId, without ?? null, rightsOfOwners, role?.id ?? null, role?.capabilities ?? null],
  );
  return rows.length > 0;
}

/** Whether a membership, active or not, comes with these rights, at all tenants and without an end. */
function isOwner(membership: "m" | "o", rights: "$2" | "$3", capabilities = "r.capabilities"): string {
  return `(select array_agg(c) from role_assignments a
    join roles r on r.id = a.role_id cross join unnest(${capabilities}) as c
    where a.workspace_id = ${membership}.workspace_id and a.user_id = ${membership}.user_id
      and a.tenant_id is null and a.expires_at is null) @> ${rights}::text[]`;
}
