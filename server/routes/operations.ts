import type { Db } from "../db/database.ts";
import { exportVerdict } from "../domain/authority/verdict.ts";
import { NotFound } from "../domain/errors.ts";
import { latestDecision } from "../domain/operations/describeDecision.ts";
import { findRunFor } from "../domain/operations/findRunFor.ts";
import { Id } from "../http/ids.ts";
import type { Routes } from "../http/serve.ts";
import { parseListQuery } from "./operationQuery.ts";
import { readListPage } from "./operationsPage.ts";
import { readRunFamily } from "./runFamily.ts";
import { parseRunItemsQuery, readRunItems } from "./runItems.ts";
import { readRunPage } from "./runPage.ts";

/** The canonical monitoring pages: what was asked for, what became of it, and why. */
export function operationRoutes(db: Db): Routes {
  return {
    "GET /admin/operations": async (req, res, viewer) => {
      const page = await readListPage(db, viewer, parseListQuery(req.query));
      res.render("operations/index", { page });
    },
    "GET /admin/operations/:run": async (req, res, viewer) => {
      const page = await readRunPage(db, viewer, Id.parse(req.params.run));
      if (page === undefined) throw new NotFound();
      const [items, family] = await Promise.all([
        readRunItems(db, viewer, page.run, parseRunItemsQuery(req.query)),
        readRunFamily(db, viewer, page.run),
      ]);
      res.render("operations/show", { ...page, items, family });
    },
    "GET /admin/operations/:run/verdict": async (req, res, viewer) => {
      const run = await findRunFor(db, viewer, Id.parse(req.params.run));
      if (run === undefined) throw new NotFound();
      res.json(exportVerdict({ ...run, currentChecks: latestDecision(run)?.checks ?? null }));
    },
  };
}
