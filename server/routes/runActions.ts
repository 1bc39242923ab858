import type { Request } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { Forbidden } from "../domain/errors.ts";
import { isOnMany } from "../domain/operations/askAgain.ts";
import { cancelRun } from "../domain/operations/cancelRun.ts";
import { dismissRuns } from "../domain/operations/dismissRuns.ts";
import { findRunFor, type ShownRun } from "../domain/operations/findRunFor.ts";
import { rerunRun } from "../domain/operations/rerunRun.ts";
import { counted } from "../domain/operations/runWords.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling } from "../http/sessions.ts";
import { cancellationPage } from "./cancellationPage.ts";
import { startWithin } from "./expiry.ts";
import { chooseWhatIsLeft, showWhatIsLeft } from "./manyAgain.ts";
import { answerRequest } from "./requested.ts";
import { readRerunPage } from "./rerunPage.ts";

const DismissalForm = z.object({ alike: z.literal("yes").optional() });

/** What can be done about a run: cancel it, ask for it again, set it aside. */
export function runActionRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const RerunForm = z.object({
    request_key: Id,
    start_within: startWithin(config.REQUEST_EXPIRY_HOURS),
    force: z.literal("yes").optional(),
  });
  return {
    "GET /admin/operations/:run/cancellation": async (req, res, viewer) => {
      res.render("operations/cancellation", {
        page: cancellationPage(viewer, await shownRun(db, req, viewer)),
      });
    },
    "POST /admin/operations/:run/cancellation": async (req, res, viewer) => {
      const runId = runIdOf(req);
      const cancelled = await cancelRun(db, { runId, actor: viewer.user });
      await redirectTelling(
        req,
        res,
        paths.run(runId),
        cancelled === "ended"
          ? "Cancelled: it does not run."
          : "Asked to cancel: it stops before its next change.",
      );
    },
    "GET /admin/operations/:run/rerun": async (req, res, viewer) => {
      const run = await shownRun(db, req, viewer);
      if (isOnMany(run.operation)) return showWhatIsLeft(db, res, viewer, run);
      res.render("operations/rerun", { page: await readRerunPage(db, viewer, run, config) });
    },
    "POST /admin/operations/:run/rerun": async (req, res, viewer) => {
      const run = await shownRun(db, req, viewer);
      if (isOnMany(run.operation)) return res.redirect(303, await chooseWhatIsLeft(db, viewer, run));
      const form = RerunForm.parse(req.body ?? {});
      const outcome = await rerunRun(db, viewer, run, {
        requestKey: form.request_key,
        expiresInHours: form.start_within,
        force: form.force === "yes",
      });
      await answerRequest(db, { res, viewer }, outcome, {
        action: `${paths.run(run.id)}/rerun`,
        fields: [
          { name: "request_key", value: form.request_key },
          { name: "start_within", value: String(form.start_within) },
        ],
      });
    },
    "POST /admin/operations/:run/dismissal": async (req, res, viewer) => {
      const { alike } = DismissalForm.parse(req.body ?? {});
      const runId = runIdOf(req);
      const runs = await dismissRuns(db, { runId, actor: viewer.user, alike: alike === "yes" });
      await redirectTelling(
        req,
        res,
        alike === "yes" ? paths.needsAttention : paths.run(runId),
        runs === 0
          ? "Dismissed already."
          : `Dismissed: ${counted(runs, "run needs", "runs need")} nobody any more.`,
      );
    },
  };
}

function runIdOf(req: Request): string {
  return Id.parse(req.params.run);
}

/** The guard has found them entitled where the run stands; only the right to see it can be missing. */
async function shownRun(db: Db, req: Request, viewer: Viewer): Promise<ShownRun> {
  const run = await findRunFor(db, viewer, runIdOf(req));
  if (run === undefined) throw new Forbidden("operations.view");
  return run;
}
