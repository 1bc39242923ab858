import type { Reader } from "../../db/database.ts";
import type { Capability } from "../authority/capabilities.ts";
import { digestOfJson } from "../digest.ts";
import { Invalid } from "../errors.ts";
import { type CheckedDraft, checkDraft, inOrder, type RoleDraft, requireFreeName } from "./roleDraft.ts";
import { getRole, type KeptRole } from "./roles.ts";

/** What a role shall be from now on. `basedOn` says which state of it somebody had before them when they chose. */
export type RoleChange = RoleDraft & { basedOn: string };

export type RolePlan = { role: KeptRole; draft: CheckedDraft; added: Capability[]; removed: string[] };

/** Stands for a role as it is: any change of it makes another one. */
export function stateOf({ name, capabilities }: Pick<KeptRole, "name" | "capabilities">): string {
  return digestOfJson({ name, capabilities: inOrder(capabilities) });
}

/** Throws `Invalid` for a role that is built in. */
export function requireCustom({ name, builtIn }: KeptRole): void {
  if (builtIn)
    throw new Invalid({ role: `${name} is built in and stays as it is. Copy it and change the copy.` });
}

/**
 * What a change would make of a role. Writes nothing: the page that asks for confirmation and the change itself
 * plan alike. Throws `NotFound`, and `Invalid` for a role that is built in, a draft that cannot be used, one
 * that changes nothing, and one that was made from a role that is no longer what it was (field `based_on`).
 */
export async function planRoleChange(
  reader: Reader,
  workspaceId: string,
  roleId: string,
  change: RoleChange,
): Promise<RolePlan> {
  const role = await getRole(reader, workspaceId, roleId);
  requireCustom(role);
  if (change.basedOn !== stateOf(role)) throw new Invalid({ based_on: staleWords(role.name) });
  const draft = checkDraft(change);
  await requireFreeName(reader, workspaceId, draft.name, role.id);
  const added = draft.capabilities.filter((capability) => !role.capabilities.includes(capability));
  const kept: readonly string[] = draft.capabilities;
  const removed = inOrder(role.capabilities).filter((capability) => !kept.includes(capability));
  if (draft.name === role.name && added.length + removed.length === 0)
    throw new Invalid({ based_on: "Nothing is changed yet: that is what the role is now." });
  return { role, draft, added, removed };
}

function staleWords(name: string): string {
  return `${name} was changed by somebody else meanwhile, so nothing was saved. Below is what you chose; the next page says what that changes in the role as it is now.`;
}
