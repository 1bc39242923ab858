import { capabilities, isCapability } from "../authority/capabilities.ts";
import { may, type Viewer } from "../authority/viewer.ts";
import { Invalid } from "../errors.ts";
import type { Assignment } from "./assignments.ts";

/**
 * Nobody gives rights they do not hold themselves, nor a role that names a right this release does not know
 * (handbook 1, "Capabilities and built-in roles"). Throws `Invalid` for the role.
 */
export function requireGrantable(acting: Viewer, { role, tenantId }: Assignment): void {
  const problem = whyNotGrantable(acting, role, tenantId);
  if (problem !== null) throw new Invalid({ role: problem });
}

/** In words for the person who wants to give the role; null when they may. */
export function whyNotGrantable(
  acting: Viewer,
  role: { name: string; capabilities: readonly string[] },
  tenantId: string | null,
): string | null {
  const unknown = role.capabilities.filter((name) => !isCapability(name));
  if (unknown.length > 0)
    return `${role.name} names rights that do not exist (${unknown.join(", ")}), so it cannot be given.`;
  const beyond = role.capabilities.filter(isCapability).filter((name) => !may(acting, name, tenantId));
  if (beyond.length === 0) return null;
  const words = beyond.slice(0, 3).map((name) => `${capabilities[name]} (${name})`);
  const rest = beyond.length > 3 ? ` and ${beyond.length - 3} more` : "";
  return `${role.name} allows more than you may yourself: ${words.join(", ")}${rest}. You can only give rights that you hold.`;
}
