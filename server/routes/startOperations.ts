import { z } from "zod";
import type { Db } from "../db/database.ts";
import { plainOperations } from "../domain/operations/catalog.ts";
import { requestUnlessIdentical } from "../domain/operations/identicalRuns.ts";
import { requestRun } from "../domain/operations/requestRun.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { startWithin } from "./expiry.ts";
import { answerRequest } from "./requested.ts";
import { workspaceOf } from "./workspaceOf.ts";

/** Starting what needs nothing but a tenant, from the tenant's page. */
export function startRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const RequestForm = z.object({
    operation: z.enum(plainOperations),
    request_key: Id,
    start_within: startWithin(config.REQUEST_EXPIRY_HOURS),
    force: z.literal("yes").optional(),
  });
  return {
    "POST /admin/tenants/:tenant/operations": async (req, res, viewer) => {
      const form = RequestForm.parse(req.body ?? {});
      const tenantId = Id.parse(req.params.tenant);
      const request = {
        operation: form.operation,
        requestKey: form.request_key,
        workspaceId: workspaceOf(viewer).id,
        tenantId,
        initiator: viewer.user,
        trigger: "page",
        expiresInHours: form.start_within,
      } as const;
      const outcome =
        form.force === "yes"
          ? await requestRun(db, request)
          : await requestUnlessIdentical(db, request, viewer);
      await answerRequest(db, { res, viewer }, outcome, {
        action: `${paths.tenant(tenantId)}/operations`,
        fields: [
          { name: "operation", value: form.operation },
          { name: "request_key", value: form.request_key },
          { name: "start_within", value: String(form.start_within) },
        ],
      });
    },
  };
}
