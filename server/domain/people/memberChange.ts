import { v7 as uuidv7 } from "uuid";
import type { Reader } from "../../db/database.ts";
import { Invalid, NotFound } from "../errors.ts";
import { findRole } from "../roles/roles.ts";
import type { Assignment, Role } from "./assignments.ts";

/** What can be done to a member. */
export type MemberChange =
  /** Replaces what they hold at all tenants by the one role; single tenants' roles stay. */
  | { kind: "role_everywhere"; roleId: string }
  | { kind: "assignment_role"; assignmentId: string; roleId: string }
  | { kind: "assignment_end"; assignmentId: string }
  | { kind: "assignment"; roleId: string; tenantId: string | null; forHours: number | null }
  | { kind: "removal" };

/**
 * The assignments a member would hold after a change. Writes nothing: the page that asks for confirmation and
 * the change itself plan alike. Throws `NotFound` for an assignment that is not theirs, `Invalid` for a role or
 * tenant that cannot be used.
 */
export async function planChange(
  reader: Reader,
  workspaceId: string,
  held: readonly Assignment[],
  change: MemberChange,
): Promise<Assignment[]> {
  switch (change.kind) {
    case "removal":
      return [];
    case "assignment_end":
      return held.filter((assignment) => assignment !== heldAs(held, change.assignmentId));
    case "assignment_role": {
      const present = heldAs(held, change.assignmentId);
      const role = await usableRole(reader, workspaceId, change.roleId);
      if (present.role.id === role.id) throw alreadyHeld(present);
      return added(held, { ...present, role });
    }
    case "assignment": {
      const role = await usableRole(reader, workspaceId, change.roleId);
      const scope = await findScope(reader, workspaceId, change);
      return added(held, { id: uuidv7(), role, ...scope, lapsed: false });
    }
    case "role_everywhere": {
      const role = await usableRole(reader, workspaceId, change.roleId);
      const everywhere = held.filter(({ tenantId }) => tenantId === null);
      if (everywhere.length === 1 && everywhere[0]?.role.id === role.id && everywhere[0].expiresAt === null)
        throw alreadyHeld(everywhere[0]);
      const one = { id: uuidv7(), role, tenantId: null, tenantName: null, expiresAt: null, lapsed: false };
      return [one, ...held.filter(({ tenantId }) => tenantId !== null)];
    }
  }
}

function heldAs(held: readonly Assignment[], assignmentId: string): Assignment {
  const found = held.find(({ id }) => id === assignmentId);
  if (found === undefined) throw new NotFound();
  return found;
}

/** In place of the assignment with the same id, and of a lapsed one of the same role and scope. */
function added(held: readonly Assignment[], one: Assignment): Assignment[] {
  const others = held.filter(({ id }) => id !== one.id);
  const same = others.find(({ role, tenantId }) => role.id === one.role.id && tenantId === one.tenantId);
  if (same !== undefined && !same.lapsed) throw alreadyHeld(same);
  return [...others.filter((other) => other !== same), one];
}

function alreadyHeld({ role, tenantName }: Assignment): Invalid {
  return new Invalid({ role: `${role.name} at ${tenantName ?? "all tenants"} is held already.` });
}

async function usableRole(reader: Reader, workspaceId: string, roleId: string): Promise<Role> {
  const role = await findRole(reader, workspaceId, roleId);
  if (role === undefined) throw new Invalid({ role: "Choose one of the workspace's roles." });
  return role;
}

type Scope = Pick<Assignment, "tenantId" | "tenantName" | "expiresAt">;

async function findScope(
  reader: Reader,
  workspaceId: string,
  { tenantId, forHours }: { tenantId: string | null; forHours: number | null },
): Promise<Scope> {
  const [scope] = await reader.query<Scope>(
    `select asked.id as "tenantId", p.name as "tenantName",
       clock_timestamp() + make_interval(hours => $3) as "expiresAt"
     from (select $2::uuid as id) asked
     left join tenants t on t.id = asked.id and t.workspace_id = $1
     left join tenant_profiles p on p.tenant_id = t.id
     where asked.id is null or t.id is not null`,
    [workspaceId, tenantId, forHours],
  );
  if (scope === undefined) throw new Invalid({ tenant: "Choose all tenants or one of the workspace's." });
  return scope;
}
