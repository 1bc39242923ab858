import type { Badge } from "../operations/runWords.ts";
import type { Assignment } from "./assignments.ts";
import type { MemberSummary } from "./members.ts";

export const stateBadges = {
  active: { tone: "ok", icon: "succeeded", label: "Active" },
  suspended: { tone: "part", icon: "pause", label: "Suspended" },
  disabled: { tone: "wait", icon: "skipped", label: "Account disabled" },
} as const satisfies Record<MemberSummary["state"], Badge>;

/** "Operator at all tenants". */
export function roleWords({ role, tenantName }: Pick<Assignment, "role" | "tenantName">): string {
  return `${role.name} at ${tenantName ?? "all tenants"}`;
}

/** What a member may, in one sentence. */
export function standingWords(state: MemberSummary["state"], assignments: readonly Assignment[]): string {
  if (state === "disabled") return "The account is disabled: nothing happens under its rights.";
  if (state === "suspended") return "The membership is suspended: nothing happens under its rights.";
  const live = assignments.filter(({ lapsed }) => !lapsed);
  return live.length === 0 ? "No role yet: nothing is open to them." : `${rolesInWords(live)}.`;
}

/** "Operator at all tenants and Manager at Contoso Retail"; the first few by name. */
export function rolesInWords(assignments: readonly Assignment[]): string {
  const named = assignments.slice(0, 3).map(roleWords);
  const rest = assignments.length > 3 ? [`${assignments.length - 3} more`] : [];
  return new Intl.ListFormat("en-GB").format([...named, ...rest]);
}
