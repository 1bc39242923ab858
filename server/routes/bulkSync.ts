import { z } from "zod";
import type { Db } from "../db/database.ts";
import { requestBulkSync } from "../domain/bulk/requestBulkSync.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { choiceFields, parseTenantsChosen, readBulkSyncPage } from "./bulkSyncPage.ts";
import { startWithin } from "./expiry.ts";
import { answerRequest } from "./requested.ts";
import { tried } from "./tried.ts";

/** Syncing many tenants at once: what was chosen is shown, then asked for as one run. */
export function bulkSyncRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const Form = z.object({
    digest: z.string().max(200),
    request_key: Id,
    start_within: startWithin(config.REQUEST_EXPIRY_HOURS),
    force: z.literal("yes").optional(),
  });
  return {
    "GET /admin/bulk/sync": async (req, res, viewer) => {
      const page = await readBulkSyncPage(db, viewer, parseTenantsChosen(req.query), config);
      res.render("bulk/sync", { page });
    },
    "POST /admin/bulk/sync": async (req, res, viewer) => {
      const { digest, request_key: requestKey, start_within: hours, force } = Form.parse(req.body ?? {});
      const chosen = parseTenantsChosen(req.body);
      const asked = { chosen, digest, requestKey, expiresInHours: hours, force: force === "yes" };
      const answer = await tried(() => requestBulkSync(db, viewer, asked));
      if ("problems" in answer) {
        const problem = answer.problems.tenants ?? null;
        const page = await readBulkSyncPage(db, viewer, chosen, config, problem);
        return res.status(422).render("bulk/sync", { page });
      }
      await answerRequest(db, { res, viewer }, answer.done, {
        action: paths.bulkSync,
        fields: [
          ...choiceFields(chosen),
          { name: "digest", value: digest },
          { name: "request_key", value: requestKey },
          { name: "start_within", value: String(hours) },
        ],
      });
    },
  };
}
