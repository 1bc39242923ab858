import { z } from "zod";
import type { Db } from "../db/database.ts";
import { type AuditKind, auditKinds, findAuditEvent, listAuditEvents } from "../domain/audit/auditEvents.ts";
import { NotFound } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import { paths, withQuery } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";

const Query = z
  .object({
    kind: z.enum(auditKinds).catch("all"),
    before: Id.nullable().catch(null),
    after: Id.nullable().catch(null),
  })
  .transform(({ kind, before, after }) => ({
    kind,
    cursor: before !== null ? { before } : after === null ? null : { after },
  }));

const kindLabels = {
  all: "All",
  without_runs: "Without runs",
  denied: "Denied",
} as const satisfies Record<AuditKind, string>;

function addressOf(kind: AuditKind, cursor: { before?: string; after?: string } = {}): string {
  return withQuery(paths.audit, { kind: kind === "all" ? null : kind, ...cursor });
}

export function auditRoutes(db: Db): Routes {
  return {
    "GET /admin/audit": async (req, res, viewer) => {
      const { kind, cursor } = Query.parse(req.query);
      const { events, newer, older } = await listAuditEvents(db, viewer, kind, cursor);
      res.render("audit/index", {
        events,
        workspaceName: viewer.workspace?.name ?? "",
        chips: auditKinds.map((one) => ({
          label: kindLabels[one],
          href: addressOf(one),
          isCurrent: one === kind,
        })),
        pages: {
          newer: newer && addressOf(kind, { after: newer }),
          older: older && addressOf(kind, { before: older }),
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
