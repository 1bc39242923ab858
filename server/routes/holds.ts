import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { NotFound } from "../domain/errors.ts";
import { counted } from "../domain/operations/runWords.ts";
import { releaseWords } from "../domain/tenants/describeRelease.ts";
import { placeHold, releaseHold } from "../domain/tenants/hold.ts";
import { letThrough } from "../domain/tenants/letThrough.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling } from "../http/sessions.ts";
import { Hours } from "./durations.ts";
import { type LineCursor, readHoldPage } from "./holdPage.ts";
import type { SentHold } from "./tenantActions.ts";
import { tried } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

const LineQuery = z.object({
  before: Id.nullable().catch(null),
  after: Id.nullable().catch(null),
});
const HoldForm = z.object({ reason: z.string(), for_hours: Hours });
/** One box ticked comes as text, several as a list, none not at all. */
const ChosenRuns = z.object({
  run: z
    .union([Id.transform((id) => [id]), z.array(Id).max(100)])
    .optional()
    .transform((ids) => ids ?? []),
});

/** Holds of tenants and of the whole workspace: what waits behind them, and letting it go. */
export function holdRoutes(db: Db): Routes {
  return {
    "GET /admin/tenants/:tenant/hold": (req, res, viewer) => show(db, req, res, viewer),
    "POST /admin/tenants/:tenant/hold/runs": (req, res, viewer) => letChosenThrough(db, req, res, viewer),
    "GET /admin/hold": (req, res, viewer) => show(db, req, res, viewer),
    "POST /admin/hold": async (req, res, viewer) => {
      const { reason, for_hours: forHours } = HoldForm.parse(req.body ?? {});
      const hold = { ...actingAt(req, viewer), reason, ...(forHours !== null && { forHours }) };
      const sent = await tried(() => placeHold(db, hold));
      if ("problems" in sent)
        return show(db, req, res.status(422), viewer, { reason, forHours, problems: sent.problems });
      await redirectTelling(
        req,
        res,
        paths.hold(null),
        "The workspace is on hold: nothing starts at any tenant until it is released.",
      );
    },
    "POST /admin/hold/runs": (req, res, viewer) => letChosenThrough(db, req, res, viewer),
    "POST /admin/release": async (req, res, viewer) => {
      const released = await releaseHold(db, actingAt(req, viewer));
      await redirectTelling(req, res, paths.hold(null), releaseWords(released, "workspace"));
    },
  };
}

async function letChosenThrough(db: Db, req: Request, res: Response, viewer: Viewer): Promise<void> {
  const { run: runIds } = ChosenRuns.parse(req.body ?? {});
  const at = actingAt(req, viewer);
  const runs = runIds.length === 0 ? 0 : await letThrough(db, { ...at, runIds });
  await redirectTelling(req, res, paths.hold(at.tenantId), letThroughWords(runIds.length, runs));
}

function letThroughWords(chosen: number, runs: number): string {
  if (chosen === 0) return "Nothing was let through: tick the runs that may begin.";
  const done = `${counted(runs, "run is", "runs are")} let through and authorized afresh; the hold stays.`;
  const rest = chosen - runs;
  return rest === 0 ? done : `${done} ${counted(rest, "had", "had")} begun or ended meanwhile.`;
}

function actingAt(req: Request, viewer: Viewer) {
  return { actor: viewer.user, workspaceId: workspaceOf(viewer).id, tenantId: tenantIdIn(req) };
}

/** Null where the address is about the whole workspace. */
function tenantIdIn(req: Request): string | null {
  return req.params.tenant === undefined ? null : Id.parse(req.params.tenant);
}

async function show(db: Db, req: Request, res: Response, viewer: Viewer, sent?: SentHold): Promise<void> {
  const page = await readHoldPage(db, viewer, tenantIdIn(req), { cursor: cursorOf(req), sent });
  if (page === undefined) throw new NotFound();
  res.render("holds/show", { page });
}

function cursorOf(req: Request): LineCursor {
  const { before, after } = LineQuery.parse(req.query);
  if (before !== null) return { before };
  return after === null ? null : { after };
}
