import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { Conflict, NotFound } from "../domain/errors.ts";
import { findPlanItem } from "../domain/restores/planItems.ts";
import { findPlanFor } from "../domain/restores/plans.ts";
import { requestRestore } from "../domain/restores/requestRestore.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { typeLabels } from "../provider/policyTypes.ts";
import { answerStored } from "./answerStored.ts";
import { showChanges, showJson } from "./backupWords.ts";
import { readExecutionPage, type SentConfirmation } from "./executionPage.ts";
import { startWithin } from "./expiry.ts";
import { type PlanQuery, parsePlanQuery, readRestorePage } from "./restorePage.ts";
import { actionBadges } from "./restoreWords.ts";
import { tried } from "./tried.ts";

const Position = z.coerce.number().int().positive().max(1_000_000);

/** What a restore would do, item by item, and confirming it. */
export function restorePlanRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const Confirmation = z.object({
    tenant_name: z.string().max(500).default(""),
    reason: z.string().max(5000).default(""),
    digest: z.string().max(200),
    request_key: Id,
    start_within: startWithin(config.REQUEST_EXPIRY_HOURS),
  });
  return {
    "GET /admin/restores/:restore": (req, res, viewer) =>
      showPlan(db, req, res, viewer, { query: parsePlanQuery(req.query), problem: null }),
    "GET /admin/restores/:restore/items/:position": async (req, res, viewer) => {
      const page = await readItem(db, viewer, planIdOf(req), Position.safeParse(req.params.position).data);
      res.render("restores/item", { page });
    },
    "GET /admin/restores/:restore/execution": (req, res, viewer) =>
      showExecution(db, req, res, viewer, config),
    "POST /admin/restores/:restore/execution": async (req, res, viewer) => {
      const form = Confirmation.parse(req.body ?? {});
      const { tenant_name: tenantName, reason, digest, request_key: requestKey, start_within: hours } = form;
      const asked = { planId: planIdOf(req), digest, tenantName, reason, requestKey, expiresInHours: hours };
      try {
        const answer = await tried(() => requestRestore(db, viewer, asked));
        if ("done" in answer) return answerStored(res, answer.done);
        const sent = { tenantName, reason, digest, hours, requestKey, problems: answer.problems };
        await showExecution(db, req, res.status(422), viewer, config, sent);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        await showPlan(db, req, res.status(409), viewer, { query: firstPage, problem: error.message });
      }
    },
  };
}

const firstPage: PlanQuery = { action: null, after: null };

function planIdOf(req: Request): string {
  return Id.parse(req.params.restore);
}

async function showPlan(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  { query, problem }: { query: PlanQuery; problem: string | null },
): Promise<void> {
  const page = await readRestorePage(db, viewer, planIdOf(req), query, problem);
  res.render("restores/show", { page });
}

/** What cannot be confirmed is shown as the preview, which says why. */
async function showExecution(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  config: { REQUEST_EXPIRY_HOURS: number },
  sent?: SentConfirmation,
): Promise<void> {
  const page = await readExecutionPage(db, viewer, planIdOf(req), config, sent);
  if (page !== undefined) return res.render("restores/execution", { page });
  const problem = "This preview cannot be confirmed.";
  await showPlan(db, req, res.status(409), viewer, { query: firstPage, problem });
}

async function readItem(db: Db, viewer: Viewer, planId: string, position: number | undefined) {
  const plan = await findPlanFor(db, viewer, planId);
  const item = plan && position && (await findPlanItem(db, planId, position));
  if (!plan || !item) throw new NotFound();
  const { name, type, action, reason, notes, diff, desired, assignments, backupItemId } = item;
  return {
    address: paths.restore(planId),
    tenantName: plan.tenantName,
    sourceAddress: plan.sourceKind === null ? null : paths.backupItem(plan.sourceSetId, backupItemId),
    ...{ name, reason, notes },
    type: typeLabels[type],
    badge: actionBadges[action],
    changes: showChanges(diff, 2000),
    desired: desired === null ? null : showJson(desired),
    assignments: assignments === null ? null : showJson(assignments),
  };
}
