import type { Db, Reader, Tx } from "../../db/database.ts";
import type { Actor } from "../audit/recordAudit.ts";
import { Conflict, NotFound } from "../errors.ts";
import type { Stopped } from "../operations/countStopped.ts";
import { changeAuthority } from "../revocation/changeAuthority.ts";
import type { Drained } from "../revocation/drainWrites.ts";
import { countStewarded } from "../schedules/countStewarded.ts";
import { actAs, authorityOf } from "./actAs.ts";
import type { Assignment } from "./assignments.ts";
import { requireGrantable } from "./grantable.ts";
import { type MemberChange, planChange } from "./memberChange.ts";
import { findMember, type Member } from "./members.ts";
import { hasOtherOwner, lockOwners, makeOwner } from "./owners.ts";
import { type LostRight, lostRights, previewLossOfRights } from "./previewLossOfRights.ts";
import { recordMemberChange } from "./recordMemberChange.ts";
import { deleteMembership, replaceAssignments } from "./writeAssignments.ts";

export type Person = { workspaceId: string; userId: string };

/** What a change would do, for the page that asks for confirmation. */
export type ChangePreview = {
  member: Member;
  before: readonly Assignment[];
  after: readonly Assignment[];
  lost: LostRight[];
  stops: Stopped;
  /** How many schedules they answer for would need a new steward. */
  schedules: number;
  /** It would leave the workspace without an owner, so it will be refused. */
  takesLastOwner: boolean;
};

/** Throws `NotFound` and `Invalid` as the change itself would. Takes no locks and promises nothing. */
export async function previewMemberChange(
  reader: Reader,
  person: Person,
  change: MemberChange,
): Promise<ChangePreview> {
  const member = await getMember(reader, person);
  const before = member.assignments;
  const after = await planChange(reader, person.workspaceId, before, change);
  const membership = change.kind === "removal" ? "ended" : "kept";
  return {
    member,
    before,
    after,
    lost: lostRights(before, after),
    stops: await previewLossOfRights(reader, person, { membership, assignments: after }),
    schedules: await countStewarded(reader, person, before, after),
    takesLastOwner: await takesLastOwner(reader, person, member, after),
  };
}

/** What was done, what it stops, what it leaves without a steward, and what became of the writing calls that were under way. */
export type ChangeReceipt = { member: string; stops: Stopped; schedules: number; drained: Drained };

/**
 * Changes what a member may, or ends their membership. An authority change: once this has returned, nothing
 * happens under the right that was taken. Throws `Forbidden` when the actor no longer may manage members,
 * `Invalid` for a role that cannot be given by them, `Conflict` when the workspace would lose its last owner.
 */
export async function changeMember(
  db: Db,
  request: Person & { actor: Actor; change: MemberChange },
): Promise<ChangeReceipt> {
  const { stops, schedules } = await previewMemberChange(db, request, request.change);
  const subjects = [{ kind: "user", id: request.userId }] as const;
  const work = (tx: Tx) => changeIn(tx, request, stops);
  const relyingOn = authorityOf(request.actor, request.workspaceId);
  const { value: member, drained } = await changeAuthority(db, subjects, work, { relyingOn });
  return { member, stops, schedules, drained };
}

/** The member's one role at all tenants from now on; what they hold at single tenants stays. */
export function changeMemberRole(
  db: Db,
  { roleId, ...request }: Person & { actor: Actor; roleId: string },
): Promise<ChangeReceipt> {
  return changeMember(db, { ...request, change: { kind: "role_everywhere", roleId } });
}

export function removeMember(db: Db, request: Person & { actor: Actor }): Promise<ChangeReceipt> {
  return changeMember(db, { ...request, change: { kind: "removal" } });
}

async function changeIn(
  tx: Tx,
  request: Person & { actor: Actor; change: MemberChange },
  stops: Stopped,
): Promise<string> {
  const { actor, change, workspaceId } = request;
  await lockOwners(tx, workspaceId);
  const acting = await actAs(tx, actor, { workspaceId, tenantId: null }, "member.manage");
  const member = await getMember(tx, request);
  const before = member.assignments;
  const after = await planChange(tx, workspaceId, before, change);
  const given = after.filter((assignment) => !before.includes(assignment));
  for (const assignment of given) requireGrantable(acting, assignment);
  if (await takesLastOwner(tx, request, member, after))
    throw new Conflict(
      `${member.name} is the last owner of ${acting.workspace?.name ?? "the workspace"}. Make somebody else an owner first.`,
    );
  if (change.kind === "removal") await deleteMembership(tx, request);
  else await replaceAssignments(tx, request, before, after);
  await recordMemberChange(tx, request, { name: member.name, before, after, stops });
  return member.name;
}

async function getMember(reader: Reader, { workspaceId, userId }: Person): Promise<Member> {
  const member = await findMember(reader, workspaceId, userId);
  if (member === undefined) throw new NotFound();
  return member;
}

async function takesLastOwner(
  reader: Reader,
  { workspaceId, userId }: Person,
  member: Member,
  after: readonly Assignment[],
): Promise<boolean> {
  const wasOwner = member.state === "active" && makeOwner(member.assignments);
  if (!wasOwner || makeOwner(after)) return false;
  return !(await hasOtherOwner(reader, workspaceId, userId));
}
