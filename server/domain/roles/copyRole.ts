import { v7 as uuidv7 } from "uuid";
import type { Db, Tx } from "../../db/database.ts";
import { recordAudit } from "../audit/recordAudit.ts";
import { Conflict } from "../errors.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import type { RoleRequest } from "./changeRole.ts";
import { checkDraft, type RoleDraft, requireFreeName, requireGivable } from "./roleDraft.ts";
import { getRole, rolesPerWorkspace } from "./roles.ts";

/**
 * Makes a role of the workspace's own out of another, which nobody holds yet. Returns its id and its name.
 * Throws `Invalid` for a draft that cannot be used or that names rights the actor does not hold, `Conflict`
 * when there are as many roles as there may be, `Forbidden` without `role.manage` at all tenants.
 */
export async function copyRole(
  db: Db,
  request: RoleRequest & { draft: RoleDraft },
): Promise<{ id: string; name: string }> {
  const { value } = await changeAuthority(
    db,
    [{ kind: "workspace", id: request.workspaceId }],
    (tx) => copyIn(tx, request),
    { relyingOn: authorityOf(request.actor, request.workspaceId), takesNothingAway: true },
  );
  return value;
}

async function copyIn(
  tx: Tx,
  { actor, workspaceId, roleId, draft }: RoleRequest & { draft: RoleDraft },
): Promise<{ id: string; name: string }> {
  const acting = await actAs(tx, actor, { workspaceId, tenantId: null }, "role.manage");
  const source = await getRole(tx, workspaceId, roleId);
  const { name, capabilities } = checkDraft(draft);
  await requireFreeName(tx, workspaceId, name, null);
  requireGivable(acting, name, capabilities);
  await requireRoom(tx, workspaceId);
  const id = uuidv7();
  // Nothing asks for the key of a role that is not built in; it only has to be its own.
  await tx.query(
    "insert into roles (id, workspace_id, key, name, capabilities) values ($1::uuid, $2, $1::uuid::text, $3, $4)",
    [id, workspaceId, name, capabilities],
  );
  await recordAudit(tx, {
    workspaceId,
    tenantId: null,
    actor,
    action: "role.created",
    subject: { type: "role", id },
    outcome: "done",
    details: { role: name, copyOf: source.name, before: null, after: { name, capabilities } },
  });
  return { id, name };
}

async function requireRoom(tx: Tx, workspaceId: string): Promise<void> {
  const [row] = await tx.query<{ roles: number }>(
    "select count(*)::integer as roles from roles where workspace_id = $1",
    [workspaceId],
  );
  if ((row?.roles ?? 0) >= rolesPerWorkspace)
    throw new Conflict(`There are ${rolesPerWorkspace} roles already. Delete one that nobody holds first.`);
}
