import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { lastOwnerWords, previewRoleChange } from "../domain/roles/changeRole.ts";
import { heldWords } from "../domain/roles/deleteRole.ts";
import { type ToldRoleChange, tellRoleChange } from "../domain/roles/describeRoleChange.ts";
import { type Holder, listHolders } from "../domain/roles/holders.ts";
import { type RoleChange, requireCustom } from "../domain/roles/planRoleChange.ts";
import { requireGivable } from "../domain/roles/roleDraft.ts";
import { getRole } from "../domain/roles/roles.ts";
import { paths } from "../http/paths.ts";
import { workspaceOf } from "./workspaceOf.ts";

export type RoleConfirmationPage = {
  role: { name: string; address: string };
  told: ToldRoleChange;
  /** What the form carries on. */
  sent: { name: string; capabilities: readonly string[]; basedOn: string };
  /** Why it cannot be done; null when it can. */
  problem: string | null;
};

/** What an edit would do, before it is made. Throws like the edit itself for what cannot be used. */
export async function readRoleConfirmation(
  reader: Reader,
  viewer: Viewer,
  roleId: string,
  change: RoleChange,
): Promise<RoleConfirmationPage> {
  const workspace = workspaceOf(viewer);
  const preview = await previewRoleChange(reader, { workspaceId: workspace.id, roleId }, change);
  requireGivable(viewer, preview.draft.name, preview.added);
  return {
    role: { name: preview.role.name, address: paths.role(roleId) },
    told: tellRoleChange(preview),
    sent: { ...preview.draft, basedOn: change.basedOn },
    problem: preview.takesLastOwner ? lastOwnerWords(preview.role.name, workspace.name) : null,
  };
}

export type RoleRemovalPage = {
  role: { name: string; address: string };
  /** Who has to be given another role first; the first of them. */
  holders: Holder[];
  problem: string | null;
};

export async function readRoleRemoval(
  reader: Reader,
  viewer: Viewer,
  roleId: string,
): Promise<RoleRemovalPage> {
  const role = await getRole(reader, workspaceOf(viewer).id, roleId);
  requireCustom(role);
  const { holders } = await listHolders(reader, roleId, null);
  return {
    role: { name: role.name, address: paths.role(roleId) },
    holders,
    problem: holders.length === 0 ? null : heldWords(role, holders),
  };
}
