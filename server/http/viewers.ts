import type { Request, RequestHandler } from "express";
import type { Db } from "../db/database.ts";
import { loadViewer, type Viewer } from "../domain/authority/viewer.ts";
import { countUnread } from "../domain/notifications/countUnread.ts";
import { dropSession, takeNotice } from "./sessions.ts";
import { describeShell } from "./shell.ts";
import { showDuration, showMoment, showTime } from "./showTime.ts";

declare module "express-serve-static-core" {
  interface Request {
    /** Set for everyone signed in; past the guard it stands in the workspace the page is about. */
    viewer?: Viewer | undefined;
  }
}

/** Reads who is signed in and what they may, from the database and on every request. */
export function viewers(db: Db): RequestHandler {
  return async (req, res, next) => {
    if (req.user === undefined) return next();
    const loaded = await loadViewer(db, req.user.id, req.session.workspaceId ?? null);
    if (loaded === undefined) {
      await dropSession(req);
      return next();
    }
    const viewer = inBrowsersZone(loaded, req.session.timeZone ?? null);
    req.viewer = viewer;
    res.locals.shell = describeShell(viewer, {
      path: req.path,
      unread: await countUnread(db, viewer.user.id),
      notice: req.method === "GET" ? takeNotice(req) : null,
    });
    next();
  };
}

/** The zone that somebody's profile names, else the one their browser did. */
function inBrowsersZone(viewer: Viewer, browsers: string | null): Viewer {
  const { user } = viewer;
  return { ...viewer, user: { ...user, timeZone: user.timeZone ?? browsers } };
}

/** What every view may use besides its own model. */
export const viewBasics: (assets: Record<string, string>) => RequestHandler =
  (assets) => (req, res, next) => {
    const now = new Date();
    const zone = (request: Request) => request.viewer?.user.timeZone ?? null;
    Object.assign(res.locals, {
      assets,
      shell: null,
      csrfToken: () => req.csrfToken?.(),
      showTime: (at: Date) => showTime(at, now, zone(req)),
      showMoment: (at: Date) => showMoment(at, now, zone(req)),
      showDuration,
    });
    next();
  };
