import { z } from "zod";
import type { Db } from "../db/database.ts";
import { findAuditEvent, listAuditEvents } from "../domain/audit/auditEvents.ts";
import { NotFound } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";

const Query = z
  .object({ before: Id.nullable().catch(null), after: Id.nullable().catch(null) })
  .transform(({ before, after }) => {
    if (before !== null) return { before };
    return after === null ? null : { after };
  });

export function auditRoutes(db: Db): Routes {
  return {
    "GET /admin/audit": async (req, res, viewer) => {
      const { events, newer, older } = await listAuditEvents(db, viewer, Query.parse(req.query));
      res.render("audit/index", {
        events,
        workspaceName: viewer.workspace?.name ?? "",
        pages: {
          newer: newer && withQuery(paths.audit, { after: newer }),
          older: older && withQuery(paths.audit, { before: older }),
        },
      });
    },
    "GET /admin/audit/:event": async (req, res, viewer) => {
      const event = await findAuditEvent(db, viewer, Id.parse(req.params.event));
      if (event === undefined) throw new NotFound();
      res.render("audit/show", { event });
    },
  };
}
