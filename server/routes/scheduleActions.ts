import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { NotFound } from "../domain/errors.ts";
import { hasStopped, willStop } from "../domain/operations/describeStopped.ts";
import { drainedWords } from "../domain/revocation/describeDrained.ts";
import { scheduleName } from "../domain/schedules/describeSchedule.ts";
import { findScheduleFor } from "../domain/schedules/findScheduleFor.ts";
import {
  deleteSchedule,
  pauseSchedule,
  previewRevocation,
  resumeSchedule,
} from "../domain/schedules/pauseSchedule.ts";
import { takeOver } from "../domain/schedules/transferSchedules.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling } from "../http/sessions.ts";
import { type Problems, tried } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

const PauseForm = z.object({ note: z.string().default("") });

const untouched = { note: "", problems: {} };

/** What stops a schedule, sets it going again, or changes who answers for it. */
export function scheduleActionRoutes(db: Db): Routes {
  return {
    "GET /admin/schedules/:schedule/pause": (req, res, viewer) =>
      showRevocation(db, req, res, viewer, "schedules/pause", untouched),
    "POST /admin/schedules/:schedule/pause": async (req, res, viewer) => {
      const { note } = PauseForm.parse(req.body ?? {});
      const sent = await tried(() => pauseSchedule(db, { ...actingOn(req, viewer), note }));
      if ("problems" in sent)
        return showRevocation(db, req, res.status(422), viewer, "schedules/pause", { note, ...sent });
      const { name, stops, drained } = sent.done;
      await redirectTelling(
        req,
        res,
        paths.schedule(scheduleId(req)),
        `“${name}” is paused. ${hasStopped(stops)} ${drainedWords(drained)}`.trim(),
      );
    },
    "POST /admin/schedules/:schedule/resumption": async (req, res, viewer) => {
      await resumeSchedule(db, actingOn(req, viewer));
      await redirectTelling(
        req,
        res,
        paths.schedule(scheduleId(req)),
        "The schedule runs again, from its next time on.",
      );
    },
    "POST /admin/schedules/:schedule/takeover": async (req, res, viewer) => {
      await takeOver(db, actingOn(req, viewer));
      await redirectTelling(req, res, paths.schedule(scheduleId(req)), "You are its steward now.");
    },
    "GET /admin/schedules/:schedule/removal": (req, res, viewer) =>
      showRevocation(db, req, res, viewer, "schedules/removal", untouched),
    "POST /admin/schedules/:schedule/removal": async (req, res, viewer) => {
      const { name, stops, drained } = await deleteSchedule(db, actingOn(req, viewer));
      await redirectTelling(
        req,
        res,
        paths.schedules,
        `“${name}” was deleted. ${hasStopped(stops)} ${drainedWords(drained)}`.trim(),
      );
    },
  };
}

function scheduleId(req: Request): string {
  return Id.parse(req.params.schedule);
}

function actingOn(req: Request, viewer: Viewer) {
  return { actor: viewer.user, workspaceId: workspaceOf(viewer).id, scheduleId: scheduleId(req) };
}

/** What pausing or deleting it would stop, before it is done. */
async function showRevocation(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  view: "schedules/pause" | "schedules/removal",
  sent: { note: string; problems: Problems },
): Promise<void> {
  const schedule = await findScheduleFor(db, viewer, scheduleId(req));
  if (schedule === undefined) throw new NotFound();
  const name = scheduleName(schedule);
  const doing = view === "schedules/pause" ? "Pausing it" : "Deleting it";
  const stops = willStop(doing, await previewRevocation(db, schedule.id));
  res.render(view, {
    page: {
      name,
      address: paths.schedule(schedule.id),
      stops,
      note: sent.note,
      problem: sent.problems.note ?? null,
    },
  });
}
