import type { Reader } from "../db/database.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { listTenantNames } from "../domain/operations/attention.ts";
import type { Badge } from "../domain/operations/runWords.ts";
import type { Assignment, Role } from "../domain/people/assignments.ts";
import { standingWords, stateBadges } from "../domain/people/describeMember.ts";
import { whyNotGrantable } from "../domain/people/grantable.ts";
import type { MemberChange } from "../domain/people/memberChange.ts";
import { findMember, type Member } from "../domain/people/members.ts";
import { listRoles } from "../domain/roles/roles.ts";
import { type DurationOption, durationOptions } from "./durations.ts";
import type { Problems } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

/** A change that could not be used, to be shown again. */
export type SentChange = { change: MemberChange; problems: Problems };

type Option = { value: string; label: string; isSelected: boolean; isDisabled: boolean };

type AssignmentRow = {
  id: string;
  roleName: string;
  scope: string;
  expiresAt: Date | null;
  lapsed: boolean;
  roles: Option[];
  problem: string | null;
};

export type MemberPage = {
  member: Member;
  badge: Badge;
  standing: string;
  isSelf: boolean;
  assignments: AssignmentRow[];
  /** Null for whoever may only look. */
  form: AssignmentForm | null;
  why: string | null;
};

type AssignmentForm = { roles: Option[]; tenants: Option[]; durations: DurationOption[]; problems: Problems };

/** Undefined when the person is no member here. `sent` is a form to be shown again. */
export async function readMemberPage(
  reader: Reader,
  viewer: Viewer,
  userId: string,
  sent?: SentChange,
): Promise<MemberPage | undefined> {
  const { id: workspaceId } = workspaceOf(viewer);
  const member = await findMember(reader, workspaceId, userId);
  if (member === undefined) return undefined;
  const isManager = may(viewer, "member.manage", null);
  const roles = isManager ? await listRoles(reader, workspaceId) : [];
  return {
    member,
    badge: stateBadges[member.state],
    standing: standingWords(member.state, member.assignments),
    isSelf: viewer.user.id === userId,
    assignments: member.assignments.map((assignment) => toRow(viewer, roles, assignment, sent)),
    form: isManager ? await readForm(reader, viewer, workspaceId, roles, sent) : null,
    why: isManager ? null : `You need member.manage to ${capabilities["member.manage"]}.`,
  };
}

function toRow(
  viewer: Viewer,
  roles: readonly Role[],
  { id, role, tenantId, tenantName, expiresAt, lapsed }: Assignment,
  sent: SentChange | undefined,
): AssignmentRow {
  const asked = sent?.change.kind === "assignment_role" && sent.change.assignmentId === id ? sent : undefined;
  const wanted = sent?.change.kind === "assignment_role" ? sent.change.roleId : null;
  return {
    id,
    roleName: role.name,
    scope: tenantName ?? "All tenants",
    expiresAt,
    lapsed,
    roles: roleOptions(viewer, roles, tenantId, asked === undefined ? role.id : wanted),
    problem: asked === undefined ? null : Object.values(asked.problems).join(" "),
  };
}

/** A role that allows more than the viewer may is shown, so that nobody looks for it, but cannot be chosen. */
function roleOptions(
  viewer: Viewer,
  roles: readonly Role[],
  tenantId: string | null,
  selected: string | null,
): Option[] {
  return roles.map((role) => {
    const isDisabled = whyNotGrantable(viewer, role, tenantId) !== null;
    return {
      value: role.id,
      label: isDisabled ? `${role.name} (more than you may give)` : role.name,
      isSelected: role.id === selected,
      isDisabled: isDisabled && role.id !== selected,
    };
  });
}

async function readForm(
  reader: Reader,
  viewer: Viewer,
  workspaceId: string,
  roles: readonly Role[],
  sent: SentChange | undefined,
): Promise<AssignmentForm> {
  const asked = sent?.change.kind === "assignment" ? sent.change : null;
  const tenants = await listTenantNames(reader, { workspaceId, tenantIds: null, ownerId: null });
  return {
    // The least powerful first: what is added in passing should not be the most.
    roles: roleOptions(viewer, [...roles].reverse(), asked?.tenantId ?? null, asked?.roleId ?? null),
    tenants: tenants.map(({ id, name }) => ({
      value: id,
      label: name,
      isSelected: id === asked?.tenantId,
      isDisabled: false,
    })),
    durations: durationOptions("without an end", asked?.forHours ?? null),
    problems: asked === null ? {} : (sent?.problems ?? {}),
  };
}
