import type { Tx } from "../../db/database.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";
import type { Stopped } from "../operations/countStopped.ts";
import type { Assignment } from "./assignments.ts";
import type { MemberChange } from "./memberChange.ts";
import { lostRights } from "./previewLossOfRights.ts";

const actionOf = {
  role_everywhere: "member.role_changed",
  assignment_role: "member.role_changed",
  assignment_end: "member.role_ended",
  assignment: "member.role_given",
  removal: "member.removed",
} as const satisfies Record<MemberChange["kind"], string>;

/** Writes the audit entry of a change to a member: before, after, what was lost and what that stops. */
export async function recordMemberChange(
  tx: Tx,
  request: { actor: Actor; workspaceId: string; userId: string; change: MemberChange },
  found: { name: string; before: readonly Assignment[]; after: readonly Assignment[]; stops: Stopped },
): Promise<void> {
  const touched = [...found.before, ...found.after].filter(
    (assignment) => !found.before.includes(assignment) || !found.after.includes(assignment),
  );
  const tenants = new Set(touched.map(({ tenantId }) => tenantId));
  const [onlyTenant = null] = tenants.size === 1 ? tenants : [];
  await recordAudit(tx, {
    workspaceId: request.workspaceId,
    tenantId: onlyTenant,
    actor: request.actor,
    action: actionOf[request.change.kind],
    subject: { type: "user", id: request.userId },
    outcome: "done",
    details: {
      member: found.name,
      before: found.before.map(describe),
      after: request.change.kind === "removal" ? null : found.after.map(describe),
      lost: lostRights(found.before, found.after),
      stops: found.stops,
    },
  });
}

function describe({ role, tenantId, tenantName, expiresAt }: Assignment) {
  return { role: role.name, roleId: role.id, tenantId, tenantName, until: expiresAt };
}
