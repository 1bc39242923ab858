import type { Db } from "../db/database.ts";
import type { Routes } from "../http/serve.ts";
export function notificationRoutes(_db: Db): Routes {
  return {
    "GET /admin/notifications": (_req, res) => {
      res.send("soon");
    },
  };
}
