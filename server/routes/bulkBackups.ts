import { z } from "zod";
import type { Db } from "../db/database.ts";
import { requestBackupDeletion } from "../domain/bulk/requestBackupDeletion.ts";
import { Id } from "../http/ids.ts";
import type { Routes } from "../http/serve.ts";
import { answerStored } from "./answerStored.ts";
import { parseBackupsChosen, readBulkBackupsPage } from "./bulkBackupsPage.ts";
import { startWithin } from "./expiry.ts";
import { tried } from "./tried.ts";

/** Deleting many backups at once: what was chosen is shown, then asked for as one run. */
export function bulkBackupRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const Form = z.object({
    digest: z.string().max(200),
    tenant_name: z.string().default(""),
    reason: z.string().default(""),
    request_key: Id,
    start_within: startWithin(config.REQUEST_EXPIRY_HOURS),
  });
  return {
    "GET /admin/bulk/backups": async (req, res, viewer) => {
      const page = await readBulkBackupsPage(db, viewer, parseBackupsChosen(req.query), config);
      res.render("bulk/backups", { page });
    },
    "POST /admin/bulk/backups": async (req, res, viewer) => {
      const form = Form.parse(req.body ?? {});
      const { digest, tenant_name: tenantName, reason, request_key: requestKey, start_within: hours } = form;
      const chosen = parseBackupsChosen(req.body);
      const asked = { chosen, digest, tenantName, reason, requestKey, expiresInHours: hours };
      const answer = await tried(() => requestBackupDeletion(db, viewer, asked));
      if ("done" in answer) return answerStored(res, answer.done);
      const sent = { tenantName, reason, hours, requestKey, problems: answer.problems };
      const page = await readBulkBackupsPage(db, viewer, chosen, config, sent);
      res.status(422).render("bulk/backups", { page });
    },
  };
}
