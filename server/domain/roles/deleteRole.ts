import type { Db, Reader, Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { Conflict } from "../errors.ts";
import { counted } from "../operations/runWords.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import { type AuthoritySubject, changeAuthority } from "../revocation/changeAuthority.ts";
import type { RoleRequest } from "./changeRole.ts";
import { listHolders } from "./holders.ts";
import { requireCustom } from "./planRoleChange.ts";
import { inOrder } from "./roleDraft.ts";
import { getRole, type KeptRole } from "./roles.ts";

/**
 * Deletes a role of the workspace's own that nobody holds, with those assignments of it that have lapsed.
 * Returns its name. Throws `Conflict`, naming them, while somebody holds it, `Invalid` for one that is built
 * in, `Forbidden` without `role.manage` at all tenants.
 */
export async function deleteRole(db: Db, request: RoleRequest): Promise<string> {
  const { value } = await changeAuthority(
    db,
    [{ kind: "workspace", id: request.workspaceId }, ...(await lapsedHolders(db, request.roleId))],
    (tx) => deleteIn(tx, request),
    // What nobody holds grants nothing.
    { relyingOn: authorityOf(request.actor, request.workspaceId), takesNothingAway: true },
  );
  return value;
}

/** Whose assignments go with it, so that their keys are locked up front; beyond those, the workspace's is enough. */
async function lapsedHolders(reader: Reader, roleId: string): Promise<AuthoritySubject[]> {
  const rows = await reader.query<{ id: string }>(
    `select distinct user_id as id from role_assignments
     where role_id = $1 and expires_at <= clock_timestamp() limit 500`,
    [roleId],
  );
  return rows.map(({ id }) => ({ kind: "user", id }));
}

async function deleteIn(tx: Tx, { actor, workspaceId, roleId }: RoleRequest): Promise<string> {
  await actAs(tx, actor, { workspaceId, tenantId: null }, "role.manage");
  const role = await getRole(tx, workspaceId, roleId);
  requireCustom(role);
  const { holders } = await listHolders(tx, roleId, null);
  if (holders.length > 0) throw new Conflict(heldWords(role, holders));
  await tx.query("delete from role_assignments where role_id = $1 and expires_at <= clock_timestamp()", [
    roleId,
  ]);
  await tx.query("delete from roles where workspace_id = $1 and id = $2", [workspaceId, roleId]);
  await recordAudit(tx, {
    workspaceId,
    tenantId: null,
    actor,
    action: "role.deleted",
    subject: { type: "role", id: roleId },
    outcome: "done",
    details: {
      role: role.name,
      before: { name: role.name, capabilities: inOrder(role.capabilities) },
      after: null,
    },
  });
  return role.name;
}

/** Who has to be given another role first, the first few by name. */
export function heldWords({ name }: KeptRole, holders: readonly { name: string }[]): string {
  const people = [...new Set(holders.map((holder) => holder.name))];
  const rest = people.length > 5 ? [`${people.length - 5} more`] : [];
  const who = new Intl.ListFormat("en-GB").format([...people.slice(0, 5), ...rest]);
  return `${name} is held by ${counted(people.length, "member", "members")}. Give ${who} another role first, or end theirs.`;
}
