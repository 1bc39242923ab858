import { inWorkspace } from "../domain/authority/viewer.ts";
import { NotFound } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import { home } from "../http/returnPath.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling, storeSession } from "../http/sessions.ts";
import { firstPageOf, type Shell } from "../http/shell.ts";

export function homeRoutes(): Routes {
  return {
    "GET /admin": async (req, res, viewer) => {
      if (viewer.workspace === null) return res.render("home/without-workspace");
      const { notice }: Shell = res.locals.shell;
      // Taken for this page, which shows nothing: it belongs to the next one.
      if (notice !== null) return redirectTelling(req, res, firstPageOf(viewer), notice);
      res.redirect(303, firstPageOf(viewer));
    },
    "POST /admin/workspace-selection": async (req, res, viewer) => {
      const workspaceId = Id.safeParse(req.body.workspace).data;
      if (workspaceId === undefined || inWorkspace(viewer, workspaceId) === undefined) throw new NotFound();
      req.session.workspaceId = workspaceId;
      await storeSession(req);
      res.redirect(303, home);
    },
  };
}
