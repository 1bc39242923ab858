import type { Reader } from "../db/database.ts";
import { isCapability } from "../domain/authority/capabilities.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { groupRights, type Right, type RightGroup } from "../domain/roles/capabilityGroups.ts";
import { requireCustom, stateOf } from "../domain/roles/planRoleChange.ts";
import { longestName, type RoleDraft } from "../domain/roles/roleDraft.ts";
import { getRole } from "../domain/roles/roles.ts";
import { paths } from "../http/paths.ts";
import type { Problems } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

/** A form that could not be used, to be shown again. */
export type SentRole = { draft: RoleDraft; problems: Problems };

type RightChoice = Right & { isSelected: boolean; isDisabled: boolean; note: string | null };

export type RoleFormPage = {
  title: string;
  role: { name: string; address: string };
  action: string;
  /** An edit asks first what it would stop, which changes nothing yet. */
  method: "get" | "post";
  label: string;
  basedOn: string | null;
  name: string;
  longestName: number;
  groups: RightGroup<RightChoice>[];
  /** Rights of the role that this release does not know: they do not stay. */
  unknown: string[];
  problems: Problems;
};

/** Throws `NotFound` when the workspace has no such role. */
export async function readCopyForm(
  reader: Reader,
  viewer: Viewer,
  roleId: string,
  sent?: SentRole,
): Promise<RoleFormPage> {
  const role = await getRole(reader, workspaceOf(viewer).id, roleId);
  const address = paths.role(roleId);
  return {
    ...fields(viewer, [], sent?.draft ?? { ...role, name: `Copy of ${role.name}`.slice(0, longestName) }),
    title: `Copy ${role.name}`,
    role: { name: role.name, address },
    action: `${address}/copy`,
    method: "post",
    label: "Make the role",
    basedOn: null,
    unknown: [],
    problems: sent?.problems ?? {},
  };
}

/** Throws like `readCopyForm`, and `Invalid` for a role that is built in. */
export async function readEditForm(
  reader: Reader,
  viewer: Viewer,
  roleId: string,
  sent?: SentRole,
): Promise<RoleFormPage> {
  const role = await getRole(reader, workspaceOf(viewer).id, roleId);
  requireCustom(role);
  const address = paths.role(roleId);
  return {
    ...fields(viewer, role.capabilities, sent?.draft ?? role),
    title: `Edit ${role.name}`,
    role: { name: role.name, address },
    action: `${address}/change`,
    method: "get",
    label: "See what it changes …",
    basedOn: stateOf(role),
    unknown: role.capabilities.filter((capability) => !isCapability(capability)),
    problems: sent?.problems ?? {},
  };
}

/** `present`: what the role allows already, which may stay whoever edits it. */
function fields(viewer: Viewer, present: readonly string[], { name, capabilities: wanted }: RoleDraft) {
  const toChoice = (right: Right): RightChoice => {
    const isOwn = isCapability(right.capability) && may(viewer, right.capability, null);
    const isDisabled = !isOwn && !present.includes(right.capability);
    return {
      ...right,
      isDisabled,
      isSelected: !isDisabled && wanted.includes(right.capability),
      note: noteOn(isOwn, isDisabled),
    };
  };
  const groups = groupRights().map(({ title, rights }) => ({ title, rights: rights.map(toChoice) }));
  return { name, longestName, groups };
}

function noteOn(isOwn: boolean, isDisabled: boolean): string | null {
  if (isOwn) return null;
  return isDisabled ? "You do not hold it at all tenants." : "Once taken away, you cannot put it back.";
}
