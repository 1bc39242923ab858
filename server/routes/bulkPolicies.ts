import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { freezeSelection } from "../domain/bulk/freezeSelection.ts";
import { requestAssignment, requestDeletion } from "../domain/bulk/requestPolicies.ts";
import { Forbidden } from "../domain/errors.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { answerStored } from "./answerStored.ts";
import { readSelectionPage, type SentSelection } from "./bulkPoliciesPage.ts";
import { startWithin } from "./expiry.ts";
import { filtersOf, parseInventoryQuery, readInventoryPage } from "./inventoryPage.ts";
import { Several } from "./several.ts";
import { tried } from "./tried.ts";

const Operation = z.enum(["policies.bulk_assign", "policies.bulk_delete"]);

const Chosen = z.object({
  operation: Operation,
  policy: Several.pipe(z.array(Id)),
  all: z.literal("yes").optional(),
  count: z.coerce.number().int().nonnegative().default(0),
});

const lines = z
  .string()
  .default("")
  .transform((text) => text.split("\n").map((line) => line.trim()))
  .transform((texts) => texts.filter((text) => text !== ""));

/** Choosing policies from the inventory and confirming what is to be done with them. */
export function bulkPolicyRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const Confirmation = z.object({
    operation: Operation,
    digest: z.string().max(200),
    tenant_name: z.string().default(""),
    reason: z.string().default(""),
    include: lines,
    exclude: lines,
    request_key: Id,
    start_within: startWithin(config.REQUEST_EXPIRY_HOURS),
  });
  return {
    "POST /admin/bulk/selections": async (req, res, viewer) => {
      const { operation, policy: ids, all, count } = Chosen.parse(req.body ?? {});
      const query = parseInventoryQuery(req.body);
      const choice = all === "yes" ? { matching: filtersOf(query), count } : { ids };
      const frozen = await tried(() => freezeSelection(db, viewer, operation, choice));
      if ("done" in frozen) return res.redirect(303, paths.selection(frozen.done));
      const page = await readInventoryPage(db, viewer, query, frozen.problems.items ?? null);
      res.status(422).render("inventory/index", { page });
    },
    "GET /admin/bulk/selections/:selection": (req, res, viewer) => show(db, req, res, viewer, config),
    "POST /admin/bulk/selections/:selection/execution": async (req, res, viewer) => {
      const form = Confirmation.parse(req.body ?? {});
      const { operation, digest, tenant_name: tenantName, reason, include, exclude } = form;
      const { request_key: requestKey, start_within: hours } = form;
      const selectionId = Id.parse(req.params.selection);
      const asked = { selectionId, digest, tenantName, reason, requestKey, expiresInHours: hours };
      const answer = await tried(() =>
        operation === "policies.bulk_assign"
          ? requestAssignment(db, viewer, { ...asked, include, exclude })
          : requestDeletion(db, viewer, asked),
      );
      if ("done" in answer) return answerStored(res, answer.done);
      const sent = { tenantName, reason, digest, include, exclude, hours, requestKey };
      await show(db, req, res.status(422), viewer, config, { ...sent, problems: answer.problems });
    },
  };
}

async function show(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  config: { REQUEST_EXPIRY_HOURS: number },
  sent?: SentSelection,
): Promise<void> {
  const page = await readSelectionPage(db, viewer, Id.parse(req.params.selection), config, sent);
  // The guard has found them entitled at the tenant; only the right to see its inventory can be missing.
  if (page === undefined) throw new Forbidden("inventory.view");
  res.render("bulk/policies", { page });
}
