import { z } from "zod";
import type { Db } from "../db/database.ts";
import { listNotifications } from "../domain/notifications/listNotifications.ts";
import { markAllRead, markRead } from "../domain/notifications/markRead.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";

const Query = z.object({ before: Id.nullable().catch(null) });

export function notificationRoutes(db: Db): Routes {
  return {
    "GET /admin/notifications": async (req, res, viewer) => {
      const { before } = Query.parse(req.query);
      const { notifications, older } = await listNotifications(db, viewer, before);
      res.render("notifications/index", {
        notifications,
        pages: {
          newer: before === null ? null : paths.notifications,
          older: older && withQuery(paths.notifications, { before: older }),
        },
      });
    },
    "POST /admin/notifications/reading": async (_req, res, viewer) => {
      await db.transaction((tx) => markAllRead(tx, viewer.user.id));
      res.redirect(303, paths.notifications);
    },
    "POST /admin/notifications/:notification/reading": async (req, res, viewer) => {
      const id = Id.parse(req.params.notification);
      await db.transaction((tx) => markRead(tx, viewer.user.id, id));
      res.redirect(303, paths.notifications);
    },
  };
}
