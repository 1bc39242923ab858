import type { Db } from "../db/database.ts";
import type { Routes } from "../http/serve.ts";
export function auditRoutes(_db: Db): Routes {
  return {
    "GET /admin/audit": (_req, res) => {
      res.send("soon");
    },
  };
}
