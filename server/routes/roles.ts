import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { hasStopped } from "../domain/operations/describeStopped.ts";
import { drainedWords } from "../domain/revocation/describeDrained.ts";
import { changeRole, type RoleReceipt } from "../domain/roles/changeRole.ts";
import { copyRole } from "../domain/roles/copyRole.ts";
import { deleteRole } from "../domain/roles/deleteRole.ts";
import { stewardWords } from "../domain/schedules/countStewarded.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import { home } from "../http/returnPath.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling } from "../http/sessions.ts";
import { readRoleConfirmation, readRoleRemoval } from "./roleConfirmation.ts";
import { readCopyForm, readEditForm } from "./roleForm.ts";
import { parseHolderQuery, readRolePage, readRolesPage } from "./rolePages.ts";
import { Several } from "./several.ts";
import { tried } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

const DraftForm = z
  .object({ name: z.string(), capability: Several })
  .transform(({ name, capability }) => ({ name, capabilities: capability }));
const ChangeForm = z
  .object({ name: z.string(), capability: Several, based_on: z.string() })
  .transform(({ name, capability, based_on: basedOn }) => ({ name, capabilities: capability, basedOn }));

/** What the workspace's roles allow and who holds them; what an edit stops is shown before it is made. */
export function roleRoutes(db: Db): Routes {
  return {
    "GET /admin/roles": async (_req, res, viewer) => {
      res.render("roles/index", { page: await readRolesPage(db, viewer) });
    },
    "GET /admin/roles/:role": async (req, res, viewer) => {
      const page = await readRolePage(db, viewer, roleId(req), parseHolderQuery(req.query));
      res.render("roles/show", { page });
    },
    "GET /admin/roles/:role/copy": async (req, res, viewer) => {
      res.render("roles/form", { page: await readCopyForm(db, viewer, roleId(req)) });
    },
    "POST /admin/roles/:role/copy": (req, res, viewer) => copy(db, req, res, viewer),
    "GET /admin/roles/:role/edit": async (req, res, viewer) => {
      res.render("roles/form", { page: await readEditForm(db, viewer, roleId(req)) });
    },
    "GET /admin/roles/:role/change": (req, res, viewer) => confirm(db, req, res, viewer),
    "POST /admin/roles/:role/change": (req, res, viewer) => change(db, req, res, viewer),
    "GET /admin/roles/:role/removal": async (req, res, viewer) => {
      res.render("roles/removal", { page: await readRoleRemoval(db, viewer, roleId(req)) });
    },
    "POST /admin/roles/:role/removal": async (req, res, viewer) => {
      const name = await deleteRole(db, requestOf(req, viewer));
      await redirectTelling(req, res, paths.roles, `${name} was deleted.`);
    },
  };
}

function roleId(req: Request): string {
  return Id.parse(req.params.role);
}

function requestOf(req: Request, viewer: Viewer) {
  return { actor: viewer.user, workspaceId: workspaceOf(viewer).id, roleId: roleId(req) };
}

async function copy(db: Db, req: Request, res: Response, viewer: Viewer): Promise<void> {
  const draft = DraftForm.parse(req.body ?? {});
  const sent = await tried(() => copyRole(db, { ...requestOf(req, viewer), draft }));
  if ("problems" in sent) {
    const page = await readCopyForm(db, viewer, roleId(req), { draft, problems: sent.problems });
    return res.status(422).render("roles/form", { page });
  }
  await redirectTelling(
    req,
    res,
    paths.role(sent.done.id),
    `${sent.done.name} was made. Nobody holds it yet: give it on a member’s page.`,
  );
}

async function confirm(db: Db, req: Request, res: Response, viewer: Viewer): Promise<void> {
  const draft = ChangeForm.parse(req.query);
  const read = await tried(() => readRoleConfirmation(db, viewer, roleId(req), draft));
  if ("problems" in read) {
    const page = await readEditForm(db, viewer, roleId(req), { draft, problems: read.problems });
    return res.status(422).render("roles/form", { page });
  }
  res.render("roles/confirm", { page: read.done });
}

async function change(db: Db, req: Request, res: Response, viewer: Viewer): Promise<void> {
  const draft = ChangeForm.parse(req.body ?? {});
  const sent = await tried(() => changeRole(db, { ...requestOf(req, viewer), change: draft }));
  if ("problems" in sent) {
    const page = await readEditForm(db, viewer, roleId(req), { draft, problems: sent.problems });
    return res.status(422).render("roles/form", { page });
  }
  // Whoever took it from themselves may not be able to open the page any more.
  await redirectTelling(
    req,
    res,
    sent.done.removed.includes("member.view") ? home : paths.role(roleId(req)),
    doneWords(sent.done),
  );
}

function doneWords({ name, removed, stops, schedules, drained }: RoleReceipt): string {
  const stopped = removed.length === 0 ? "" : hasStopped(stops);
  return [`${name} was changed.`, stopped, drainedWords(drained), stewardWords(schedules)]
    .filter((words) => words !== "")
    .join(" ");
}
