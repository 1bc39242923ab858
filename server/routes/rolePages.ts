import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { counted } from "../domain/operations/runWords.ts";
import { groupRights, type RightGroup } from "../domain/roles/capabilityGroups.ts";
import { holdersWords } from "../domain/roles/describeRoleChange.ts";
import { countHolders, type Holder, listHolders } from "../domain/roles/holders.ts";
import { inOrder } from "../domain/roles/roleDraft.ts";
import { getRole, listRolesWithHolders } from "../domain/roles/roles.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import { workspaceOf } from "./workspaceOf.ts";

const Query = z.object({ after: Id.nullable().catch(null) });

export function parseHolderQuery(query: unknown): { after: string | null } {
  return Query.parse(query);
}

const everyRight = Object.keys(capabilities).length;

type RoleRow = { id: string; name: string; builtIn: boolean; allows: string; heldBy: string };
export type RolesPage = { workspaceName: string; rows: RoleRow[]; mayChange: boolean };

export async function readRolesPage(reader: Reader, viewer: Viewer): Promise<RolesPage> {
  const { id, name } = workspaceOf(viewer);
  const roles = await listRolesWithHolders(reader, id);
  return {
    workspaceName: name,
    mayChange: may(viewer, "role.manage", null),
    rows: roles.map((role) => ({
      id: role.id,
      name: role.name,
      builtIn: role.builtIn,
      allows: `${role.capabilities.length} of ${everyRight} rights`,
      heldBy: role.holders === 0 ? "nobody" : counted(role.holders, "member", "members"),
    })),
  };
}

export type RolePage = {
  role: { id: string; name: string; builtIn: boolean };
  standing: string;
  groups: RightGroup[];
  /** Rights it names that this release does not know. */
  unknown: string[];
  holders: Holder[];
  pages: { newer: string | null; older: string | null };
  mayChange: boolean;
  why: string | null;
};

/** Throws `NotFound` when the workspace has no such role. */
export async function readRolePage(
  reader: Reader,
  viewer: Viewer,
  roleId: string,
  { after }: { after: string | null },
): Promise<RolePage> {
  const role = await getRole(reader, workspaceOf(viewer).id, roleId);
  const { holders, next } = await listHolders(reader, roleId, after);
  const mayChange = may(viewer, "role.manage", null);
  return {
    role,
    standing: `Allows ${role.capabilities.length} of ${everyRight} rights. ${holdersWords(await countHolders(reader, roleId))}`,
    groups: groupsIn(role.capabilities),
    unknown: inOrder(role.capabilities).filter((name) => !Object.hasOwn(capabilities, name)),
    holders,
    pages: {
      newer: after === null ? null : paths.role(roleId),
      older: next === null ? null : withQuery(paths.role(roleId), { after: next }),
    },
    mayChange,
    why: mayChange ? null : `You need role.manage to ${capabilities["role.manage"]}.`,
  };
}

function groupsIn(held: readonly string[]): RightGroup[] {
  return groupRights()
    .map(({ title, rights }) => ({
      title,
      rights: rights.filter(({ capability }) => held.includes(capability)),
    }))
    .filter(({ rights }) => rights.length > 0);
}
