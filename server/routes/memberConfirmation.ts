import type { Reader } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { previewMemberChange } from "../domain/people/changeMember.ts";
import { type ConfirmedChange, type ToldChange, tellChange } from "../domain/people/describeChange.ts";
import { requireGrantable } from "../domain/people/grantable.ts";
import { paths } from "../http/paths.ts";
import { workspaceOf } from "./workspaceOf.ts";

export type ConfirmationPage = {
  member: { name: string; address: string };
  told: ToldChange;
  /** Where the form goes and what it carries. */
  action: string;
  roleId: string | null;
  /** The name that has to be typed, as it was; null where none is asked for. */
  typed: { name: string; problem: string | null } | null;
  /** Why it cannot be done; null when it can. */
  problem: string | null;
};

/** What a change would do, before it is made; `typedName` as it was sent. Throws like the change itself. */
export async function readConfirmation(
  reader: Reader,
  viewer: Viewer,
  userId: string,
  change: ConfirmedChange,
  typedName: string | null = null,
): Promise<ConfirmationPage> {
  const workspace = workspaceOf(viewer);
  const preview = await previewMemberChange(reader, { workspaceId: workspace.id, userId }, change);
  const given = preview.after.filter((assignment) => !preview.before.includes(assignment));
  for (const assignment of given) requireGrantable(viewer, assignment);
  const { name } = preview.member;
  return {
    member: { name, address: paths.member(userId) },
    told: tellChange(change, preview),
    action: `${paths.member(userId)}/${resourceOf(change)}`,
    roleId: change.kind === "assignment_role" ? change.roleId : null,
    typed: change.kind === "removal" ? typedOf(name, typedName) : null,
    problem: preview.takesLastOwner
      ? `${name} is the last owner of ${workspace.name}. Make somebody else an owner first.`
      : null,
  };
}

/** Null stands for a form that was not sent yet. */
function typedOf(name: string, typed: string | null): ConfirmationPage["typed"] {
  const isRight = typed === null || typed.trim() === name;
  return { name: typed ?? "", problem: isRight ? null : `Type ${name} to confirm.` };
}

function resourceOf(change: ConfirmedChange): string {
  switch (change.kind) {
    case "removal":
      return "removal";
    case "assignment_end":
      return `assignments/${change.assignmentId}/end`;
    case "assignment_role":
      return `assignments/${change.assignmentId}/role`;
  }
}
