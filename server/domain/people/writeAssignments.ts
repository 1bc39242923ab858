import type { Tx } from "../../db/database.ts";
import type { Assignment } from "./assignments.ts";

type Person = { workspaceId: string; userId: string };

/** Ends a membership; the assignments go with it. */
export async function deleteMembership(tx: Tx, { workspaceId, userId }: Person): Promise<void> {
  await tx.query("delete from memberships where workspace_id = $1 and user_id = $2", [workspaceId, userId]);
}

/** Turns what a member holds into what they shall hold; rows that stay are not touched. */
export async function replaceAssignments(
  tx: Tx,
  person: Person,
  before: readonly Assignment[],
  after: readonly Assignment[],
): Promise<void> {
  const isIn = (some: readonly Assignment[], { id }: Assignment) => some.some((other) => other.id === id);
  await deleteAssignments(
    tx,
    person,
    before.filter((assignment) => !isIn(after, assignment)),
  );
  const changed = after.filter((assignment) => !before.includes(assignment));
  for (const assignment of changed) {
    if (isIn(before, assignment)) await updateRole(tx, person, assignment);
    else await insertAssignment(tx, person, assignment);
  }
}

async function deleteAssignments(tx: Tx, { workspaceId, userId }: Person, ended: readonly Assignment[]) {
  if (ended.length === 0) return;
  await tx.query(
    "delete from role_assignments where workspace_id = $1 and user_id = $2 and id = any ($3::uuid[])",
    [workspaceId, userId, ended.map(({ id }) => id)],
  );
}

async function updateRole(tx: Tx, { workspaceId, userId }: Person, { id, role }: Assignment) {
  await tx.query(
    "update role_assignments set role_id = $4 where workspace_id = $1 and user_id = $2 and id = $3",
    [workspaceId, userId, id, role.id],
  );
}

async function insertAssignment(tx: Tx, { workspaceId, userId }: Person, given: Assignment) {
  await tx.query(
    `insert into role_assignments (id, workspace_id, user_id, role_id, tenant_id, expires_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [given.id, workspaceId, userId, given.role.id, given.tenantId, given.expiresAt],
  );
}
