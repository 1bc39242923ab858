import type { Reader } from "../../db/database.ts";
import { type Capability, capabilities, isCapability } from "../authority/capabilities.ts";
import type { Viewer } from "../authority/viewer.ts";
import { Invalid } from "../errors.ts";
import { whyNotGrantable } from "../people/grantable.ts";

/** What a form says a role shall be. */
export type RoleDraft = { name: string; capabilities: readonly string[] };

/** A draft that can be stored: the name as it will be kept, the capabilities in the registry's order. */
export type CheckedDraft = { name: string; capabilities: Capability[] };

/** The longest a role's name may be. */
export const longestName = 100;

/** Throws `Invalid`, by field, for a name that cannot be used and for rights this release does not know. */
export function checkDraft(draft: RoleDraft): CheckedDraft {
  const name = draft.name.normalize("NFC").trim().replaceAll(/\s+/gu, " ");
  const problems = {
    ...problemOf("name", nameProblem(name)),
    ...problemOf("capabilities", unknownIn(draft)),
  };
  if (Object.keys(problems).length > 0) throw new Invalid(problems);
  return { name, capabilities: inOrder(draft.capabilities).filter(isCapability) };
}

/** Known ones as the registry lists them, then any that this release does not know; each once. */
export function inOrder(names: readonly string[]): string[] {
  const unknown = names.filter((name) => !isCapability(name));
  return [...Object.keys(capabilities).filter((name) => names.includes(name)), ...new Set(unknown)];
}

function problemOf(field: string, problem: string | null): Record<string, string> {
  return problem === null ? {} : { [field]: problem };
}

function nameProblem(name: string): string | null {
  if (name === "") return "Give the role a name.";
  if (name.length > longestName) return `Keep the name to ${longestName} characters.`;
  // Two names that look the same would be two roles that nobody can tell apart.
  return /[\p{Cc}\p{Cf}]/u.test(name) ? "The name has characters in it that cannot be seen." : null;
}

function unknownIn({ capabilities: names }: RoleDraft): string | null {
  const unknown = names.filter((name) => !isCapability(name));
  if (unknown.length > 0) return `There is no right called ${unknown.slice(0, 3).join(", ")}.`;
  return names.length === 0 ? "Choose at least one right." : null;
}

/** Throws `Invalid` when another role of the workspace has the name, in whatever case. */
export async function requireFreeName(
  reader: Reader,
  workspaceId: string,
  name: string,
  own: string | null,
): Promise<void> {
  const taken = await reader.query(
    "select 1 from roles where workspace_id = $1 and lower(name) = lower($2) and id is distinct from $3::uuid",
    [workspaceId, name, own],
  );
  if (taken.length > 0) throw new Invalid({ name: "Another role of this workspace has that name." });
}

/** Nobody puts rights into a role that they do not hold at all tenants, just as nobody gives such a role away. */
export function requireGivable(acting: Viewer, name: string, added: readonly string[]): void {
  const problem = whyNotGrantable(acting, { name, capabilities: added }, null);
  if (problem !== null) throw new Invalid({ capabilities: problem });
}
