import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { NotFound } from "../domain/errors.ts";
import { hasStopped } from "../domain/operations/describeStopped.ts";
import { changeMember } from "../domain/people/changeMember.ts";
import type { ConfirmedChange } from "../domain/people/describeChange.ts";
import type { MemberChange } from "../domain/people/memberChange.ts";
import { drainedWords } from "../domain/revocation/describeDrained.ts";
import { stewardWords } from "../domain/schedules/countStewarded.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import { home } from "../http/returnPath.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling } from "../http/sessions.ts";
import { Hours } from "./durations.ts";
import { readConfirmation } from "./memberConfirmation.ts";
import { readMemberPage, type SentChange } from "./memberPage.ts";
import { parseMembersQuery, readMembersPage } from "./membersPage.ts";
import { tried } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

const RoleForm = z.object({ role: Id });
const RemovalForm = z.object({ name: z.string().default("") });
const AssignmentForm = z.object({
  role: Id,
  tenant: z.union([z.literal("").transform(() => null), Id]),
  for_hours: Hours,
});

/** Who belongs to a workspace and what they may; what taking it away stops is shown before it is done. */
export function memberRoutes(db: Db): Routes {
  return {
    "GET /admin/members": async (req, res, viewer) => {
      res.render("members/index", { page: await readMembersPage(db, viewer, parseMembersQuery(req.query)) });
    },
    "GET /admin/members/:member": (req, res, viewer) => showMember(db, req, res, viewer),
    "POST /admin/members/:member/assignments": (req, res, viewer) => {
      const { role, tenant, for_hours: forHours } = AssignmentForm.parse(req.body ?? {});
      return change(db, req, res, viewer, { kind: "assignment", roleId: role, tenantId: tenant, forHours });
    },
    "GET /admin/members/:member/assignments/:assignment/role": (req, res, viewer) =>
      confirm(db, req, res, viewer, roleChange(req, req.query)),
    "POST /admin/members/:member/assignments/:assignment/role": (req, res, viewer) =>
      change(db, req, res, viewer, roleChange(req, req.body)),
    "GET /admin/members/:member/assignments/:assignment/end": (req, res, viewer) =>
      confirm(db, req, res, viewer, { kind: "assignment_end", assignmentId: assignmentId(req) }),
    "POST /admin/members/:member/assignments/:assignment/end": (req, res, viewer) =>
      change(db, req, res, viewer, { kind: "assignment_end", assignmentId: assignmentId(req) }),
    "GET /admin/members/:member/removal": (req, res, viewer) =>
      confirm(db, req, res, viewer, { kind: "removal" }),
    "POST /admin/members/:member/removal": (req, res, viewer) => remove(db, req, res, viewer),
  };
}

function roleChange(req: Request, sent: unknown) {
  const { role } = RoleForm.parse(sent ?? {});
  return { kind: "assignment_role", assignmentId: assignmentId(req), roleId: role } as const;
}

/** What is no id names no assignment. */
function assignmentId(req: Request): string {
  const parsed = Id.safeParse(req.params.assignment);
  if (!parsed.success) throw new NotFound();
  return parsed.data;
}

function memberId(req: Request): string {
  return Id.parse(req.params.member);
}

async function confirm(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  asked: ConfirmedChange,
): Promise<void> {
  const read = await tried(() => readConfirmation(db, viewer, memberId(req), asked));
  if ("problems" in read) return showMember(db, req, res.status(422), viewer, { change: asked, ...read });
  res.render("members/confirm", { page: read.done });
}

/** No page brings a removed member back, so the name is asked for. */
async function remove(db: Db, req: Request, res: Response, viewer: Viewer): Promise<void> {
  const { name } = RemovalForm.parse(req.body ?? {});
  const page = await readConfirmation(db, viewer, memberId(req), { kind: "removal" }, name);
  if (page.typed?.problem) return res.status(422).render("members/confirm", { page });
  await change(db, req, res, viewer, { kind: "removal" });
}

async function change(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  asked: MemberChange,
): Promise<void> {
  const person = { workspaceId: workspaceOf(viewer).id, userId: memberId(req) };
  const sent = await tried(() => changeMember(db, { ...person, actor: viewer.user, change: asked }));
  if ("problems" in sent) return showMember(db, req, res.status(422), viewer, { change: asked, ...sent });
  const { member, stops, schedules, drained } = sent.done;
  const after = [hasStopped(stops), drainedWords(drained), stewardWords(schedules)];
  await redirectTelling(
    req,
    res,
    afterwards(viewer, person.userId, asked),
    [doneWords[asked.kind](member), ...after].filter((words) => words !== "").join(" "),
  );
}

const doneWords = {
  role_everywhere: (name) => `${name}’s role was changed.`,
  assignment_role: (name) => `${name}’s role was changed.`,
  assignment_end: (name) => `${name}’s role was ended.`,
  assignment: (name) => `${name} was given the role.`,
  removal: (name) => `${name} was removed.`,
} as const satisfies Record<MemberChange["kind"], (name: string) => string>;

/** Whoever changed themselves may not be able to open this page any more. */
function afterwards(viewer: Viewer, userId: string, { kind }: MemberChange): string {
  if (viewer.user.id === userId) return home;
  return kind === "removal" ? paths.members : paths.member(userId);
}

async function showMember(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  sent?: SentChange,
): Promise<void> {
  const page = await readMemberPage(db, viewer, memberId(req), sent);
  if (page === undefined) throw new NotFound();
  res.render("members/show", { page });
}
