import type { Db, Reader, Tx } from "../../db/database.ts";
import { type Actor, recordAudit } from "../audit/recordAudit.ts";
import { Conflict } from "../errors.ts";
import type { Stopped } from "../operations/countStopped.ts";
import { actAs, authorityOf } from "../people/actAs.ts";
import { lockOwners, takesOwnersAway } from "../people/owners.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import type { Drained } from "../revocation/drainWrites.ts";
import { countStewardedThrough } from "../schedules/countStewarded.ts";
import { countHolders } from "./holders.ts";
import { planRoleChange, type RoleChange, type RolePlan } from "./planRoleChange.ts";
import { previewRoleLoss } from "./previewRoleLoss.ts";
import { inOrder, requireGivable } from "./roleDraft.ts";

/** Somebody who changes a role of the workspace. */
export type RoleRequest = { actor: Actor; workspaceId: string; roleId: string };

/** What a change would do, for the page that asks for confirmation. */
export type RolePreview = RolePlan & {
  holders: number;
  stops: Stopped;
  /** How many schedules would need a new steward. */
  schedules: number;
  /** It would leave the workspace without an owner, so it will be refused. */
  takesLastOwner: boolean;
};

/** Throws as the change itself would. Takes no locks and promises nothing. */
export async function previewRoleChange(
  reader: Reader,
  { workspaceId, roleId }: Pick<RoleRequest, "workspaceId" | "roleId">,
  change: RoleChange,
): Promise<RolePreview> {
  const plan = await planRoleChange(reader, workspaceId, roleId, change);
  const then = { id: roleId, capabilities: plan.draft.capabilities };
  return {
    ...plan,
    holders: await countHolders(reader, roleId),
    stops: await previewRoleLoss(reader, workspaceId, then),
    schedules: await countStewardedThrough(reader, workspaceId, then),
    takesLastOwner: await takesOwnersAway(reader, workspaceId, then),
  };
}

/** What was done, what it stops, what it leaves without a steward, and what became of writing calls under way. */
export type RoleReceipt = {
  name: string;
  removed: readonly string[];
  stops: Stopped;
  schedules: number;
  drained: Drained;
};

/**
 * Changes what a role is called and allows. An authority change: once this has returned, nothing happens under
 * a right that was taken from it. Throws `Forbidden` without `role.manage` at all tenants, `Conflict` when the
 * workspace would lose its last owner, `Invalid` for rights the actor does not hold and like `planRoleChange`.
 */
export async function changeRole(
  db: Db,
  request: RoleRequest & { change: RoleChange },
): Promise<RoleReceipt> {
  const { actor, workspaceId } = request;
  const { removed, stops, schedules } = await previewRoleChange(db, request, request.change);
  const { value: name, drained } = await changeAuthority(
    db,
    [{ kind: "workspace", id: workspaceId }],
    (tx) => changeIn(tx, request, stops),
    {
      relyingOn: authorityOf(actor, workspaceId),
      // Nothing else was read here than will be changed there: a role that differs by then is refused.
      ...(removed.length === 0 && { takesNothingAway: true }),
    },
  );
  return { name, removed, stops, schedules, drained };
}

async function changeIn(
  tx: Tx,
  { actor, workspaceId, roleId, change }: RoleRequest & { change: RoleChange },
  stops: Stopped,
): Promise<string> {
  await lockOwners(tx, workspaceId);
  const acting = await actAs(tx, actor, { workspaceId, tenantId: null }, "role.manage");
  const plan = await planRoleChange(tx, workspaceId, roleId, change);
  requireGivable(acting, plan.draft.name, plan.added);
  if (await takesOwnersAway(tx, workspaceId, { id: roleId, capabilities: plan.draft.capabilities }))
    throw new Conflict(lastOwnerWords(plan.role.name, acting.workspace?.name ?? "the workspace"));
  await tx.query("update roles set name = $3, capabilities = $4 where workspace_id = $1 and id = $2", [
    workspaceId,
    roleId,
    plan.draft.name,
    plan.draft.capabilities,
  ]);
  await recordRoleChange(tx, { actor, workspaceId }, plan, stops);
  return plan.draft.name;
}

export function lastOwnerWords(role: string, workspace: string): string {
  return `${workspace} has no owner but through ${role}. Make somebody an owner through another role first.`;
}

async function recordRoleChange(
  tx: Tx,
  { actor, workspaceId }: Pick<RoleRequest, "actor" | "workspaceId">,
  { role, draft, added, removed }: RolePlan,
  stops: Stopped,
): Promise<void> {
  await recordAudit(tx, {
    workspaceId,
    tenantId: null,
    actor,
    action: actionOf(added, removed),
    subject: { type: "role", id: role.id },
    outcome: "done",
    details: {
      role: draft.name,
      before: { name: role.name, capabilities: inOrder(role.capabilities) },
      after: draft,
      added,
      removed,
      stops,
    },
  });
}

function actionOf(added: readonly string[], removed: readonly string[]): string {
  if (removed.length > 0) return "role.capability_removed";
  return added.length > 0 ? "role.capability_added" : "role.renamed";
}
