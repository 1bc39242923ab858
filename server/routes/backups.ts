import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { beginDownload } from "../domain/backups/beginDownload.ts";
import { requestBackup } from "../domain/backups/requestBackup.ts";
import { Forbidden, NotFound } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { sendBackup } from "./backupDownload.ts";
import { readBackupItemPage } from "./backupItemPage.ts";
import { parseItemsQuery, readBackupPage } from "./backupPage.ts";
import { parseBackupsQuery, readBackupsPage } from "./backupsPage.ts";
import { startWithin } from "./expiry.ts";
import { readNewBackupPage, type SentBackup } from "./newBackupPage.ts";
import { answerRequest } from "./requested.ts";
import { Several } from "./several.ts";
import { tried } from "./tried.ts";

/** Backups: taking one, what is in it, and taking it away. */
export function backupRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const NewForm = z.object({
    types: Several,
    request_key: Id,
    start_within: startWithin(config.REQUEST_EXPIRY_HOURS),
    force: z.literal("yes").optional(),
  });
  return {
    "GET /admin/backups": async (req, res, viewer) => {
      res.render("backups/index", { page: await readBackupsPage(db, viewer, parseBackupsQuery(req.query)) });
    },
    "GET /admin/tenants/:tenant/backups/new": (req, res, viewer) => showNew(db, req, res, viewer, config),
    "POST /admin/tenants/:tenant/backups": async (req, res, viewer) => {
      const form = NewForm.parse(req.body ?? {});
      const { types, request_key: requestKey, start_within: hours } = form;
      const tenantId = Id.parse(req.params.tenant);
      const asked = { tenantId, types, requestKey, expiresInHours: hours, force: form.force === "yes" };
      const answer = await tried(async () => requestBackup(db, viewer, asked));
      if ("problems" in answer) {
        const sent = { types, hours, requestKey, problems: answer.problems };
        return showNew(db, req, res.status(422), viewer, config, sent);
      }
      await answerRequest(db, { res, viewer }, answer.done, {
        action: `${paths.tenant(tenantId)}/backups`,
        fields: [
          ...types.map((value) => ({ name: "types", value })),
          { name: "request_key", value: requestKey },
          { name: "start_within", value: String(hours) },
        ],
      });
    },
    "GET /admin/backups/:backup": async (req, res, viewer) => {
      const page = await readBackupPage(db, viewer, setIdOf(req), parseItemsQuery(req.query));
      if (page === undefined) throw new NotFound();
      res.render("backups/show", { page });
    },
    "GET /admin/backups/:backup/items/:item": async (req, res, viewer) => {
      const itemId = Id.safeParse(req.params.item).data;
      const page = itemId && (await readBackupItemPage(db, viewer, setIdOf(req), itemId));
      if (!page) throw new NotFound();
      res.render("backups/item", { page });
    },
    "GET /admin/backups/:backup/download": async (req, res, viewer) => {
      await sendBackup(db, res, await beginDownload(db, viewer, setIdOf(req)));
    },
  };
}

function setIdOf(req: Request): string {
  return Id.parse(req.params.backup);
}

async function showNew(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  config: { REQUEST_EXPIRY_HOURS: number },
  sent?: SentBackup,
): Promise<void> {
  const page = await readNewBackupPage(db, viewer, Id.parse(req.params.tenant), config, sent);
  // The guard has found them entitled at the tenant; only the right to see it can be missing.
  if (page === undefined) throw new Forbidden("tenant.view");
  res.render("backups/new", { page });
}
