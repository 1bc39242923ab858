import type { Db } from "../db/database.ts";
import type { Routes } from "../http/serve.ts";
export function operationRoutes(_db: Db): Routes {
  return {
    "GET /admin/operations": (_req, res) => {
      res.send("soon");
    },
  };
}
