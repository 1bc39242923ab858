import type { Db } from "../db/database.ts";
import { NotFound } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import type { Routes } from "../http/serve.ts";
import { parseInventoryQuery, readInventoryPage } from "./inventoryPage.ts";
import { readPolicyPage } from "./inventoryPolicyPage.ts";

/** What syncs have found at the tenants, and each policy of it. */
export function inventoryRoutes(db: Db): Routes {
  return {
    "GET /admin/inventory": async (req, res, viewer) => {
      const page = await readInventoryPage(db, viewer, parseInventoryQuery(req.query));
      res.render("inventory/index", { page });
    },
    "GET /admin/inventory/:policy": async (req, res, viewer) => {
      const page = await readPolicyPage(db, viewer, Id.parse(req.params.policy));
      if (page === undefined) throw new NotFound();
      res.render("inventory/show", { page });
    },
  };
}
