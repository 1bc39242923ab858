import type { Db } from "../../server/db/database.ts";
import { changeRole, type RoleReceipt } from "../../server/domain/roles/changeRole.ts";
import { stateOf } from "../../server/domain/roles/planRoleChange.ts";
import { getRole, type KeptRole } from "../../server/domain/roles/roles.ts";
import type { TestUser } from "./factories.ts";
import type { Northwind } from "./northwind.ts";

type At = { actor: TestUser; workspaceId: string; roleId: string };

/** Edits a role as it is now, as the form of its page does: what is left out stays. */
export async function editRole(
  db: Db,
  at: At,
  edit: { name?: string; without?: readonly string[]; with?: readonly string[] },
): Promise<RoleReceipt> {
  const role = await getRole(db, at.workspaceId, at.roleId);
  return changeRole(db, { ...at, change: draftFrom(role, edit) });
}

/** What the form of a role sends when that much of it was changed. */
export function draftFrom(
  role: KeptRole,
  edit: { name?: string; without?: readonly string[]; with?: readonly string[] },
) {
  const kept = role.capabilities.filter((capability) => !(edit.without ?? []).includes(capability));
  return {
    name: edit.name ?? role.name,
    capabilities: [...kept, ...(edit.with ?? [])],
    basedOn: stateOf(role),
  };
}

/** The key of the role `giveOwnRole` makes. */
export const ownRole = "restore-desk";

/** Omar may what a manager may, through a role of the workspace's own, which can be changed. */
export async function giveOwnRole(
  db: Db,
  { northwind, omar }: Pick<Northwind, "northwind" | "omar">,
): Promise<void> {
  await db.query(
    `insert into roles (id, workspace_id, key, name, capabilities)
     select gen_random_uuid(), workspace_id, $2, 'Restore desk', capabilities from roles
     where workspace_id = $1 and key = 'manager' on conflict do nothing`,
    [northwind.id, ownRole],
  );
  await db.query(
    `update role_assignments set role_id = (select id from roles where workspace_id = $2 and key = $3)
     where user_id = $1`,
    [omar.id, northwind.id, ownRole],
  );
}
