import { inWorkspace } from "../domain/authority/viewer.ts";
import { NotFound } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import type { Routes } from "../http/serve.ts";

export function homeRoutes(): Routes {
  return {
    "GET /admin": (_req, res, viewer) => {
      if (viewer.workspace !== null) return res.redirect(303, "/admin/operations");
      res.render("home/without-workspace");
    },
    "POST /admin/workspace-selection": (req, res, viewer) => {
      const workspaceId = Id.safeParse(req.body.workspace).data;
      if (workspaceId === undefined || inWorkspace(viewer, workspaceId) === undefined) throw new NotFound();
      req.session.workspaceId = workspaceId;
      res.redirect(303, "/admin/operations");
    },
  };
}
