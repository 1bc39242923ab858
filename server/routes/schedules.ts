import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { NotFound } from "../domain/errors.ts";
import { counted } from "../domain/operations/runWords.ts";
import { createSchedule } from "../domain/schedules/createSchedule.ts";
import { editSchedule } from "../domain/schedules/editSchedule.ts";
import { findScheduleFor, type ShownSchedule } from "../domain/schedules/findScheduleFor.ts";
import { transferSchedules } from "../domain/schedules/transferSchedules.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling } from "../http/sessions.ts";
import {
  blankForm,
  formOf,
  parseScheduleForm,
  readScheduleForm,
  type SentSchedule,
  wantedFrom,
} from "./scheduleForm.ts";
import { readSchedulePage } from "./schedulePage.ts";
import { parseSchedulesQuery, readSchedulesPage } from "./schedulesPage.ts";
import { parseTransfer, readTransferPage, type SentTransfer } from "./scheduleTransfer.ts";
import { type Problems, tried } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

const NewQuery = z.object({ tenant: Id.catch("") });
const ShowQuery = z.object({ before: Id.nullable().catch(null) });

/** What asks for runs by itself: when, where, on what, who answers for it, and whether it would be allowed. */
export function scheduleRoutes(db: Db): Routes {
  return {
    "GET /admin/schedules": async (req, res, viewer) => {
      res.render("schedules/index", {
        page: await readSchedulesPage(db, viewer, parseSchedulesQuery(req.query)),
      });
    },
    "GET /admin/schedules/new": (req, res, viewer) =>
      showForm(db, res, viewer, null, blankForm(viewer, NewQuery.parse(req.query).tenant)),
    "POST /admin/schedules": async (req, res, viewer) => {
      const sent = parseScheduleForm(req.body);
      if (sent.intent === "look") return showForm(db, res, viewer, null, sent);
      const made = await tried(() =>
        createSchedule(db, {
          actor: viewer.user,
          workspaceId: workspaceOf(viewer).id,
          wanted: wantedFrom(sent),
        }),
      );
      if ("problems" in made) return showForm(db, res.status(422), viewer, null, sent, made.problems);
      await redirectTelling(
        req,
        res,
        paths.schedule(made.done),
        "The schedule was made, and you are its steward.",
      );
    },
    "GET /admin/schedules/transfer": (req, res, viewer) =>
      showTransfer(db, res, viewer, parseTransfer(req.query)),
    "POST /admin/schedules/transfer": (req, res, viewer) => transfer(db, req, res, viewer),
    "GET /admin/schedules/:schedule": async (req, res, viewer) => {
      const { before } = ShowQuery.parse(req.query);
      const page = await readSchedulePage(db, viewer, scheduleId(req), before);
      if (page === undefined) throw new NotFound();
      res.render("schedules/show", { page });
    },
    "GET /admin/schedules/:schedule/edit": async (req, res, viewer) => {
      const schedule = await getShown(db, req, viewer);
      await showForm(db, res, viewer, schedule, formOf(schedule));
    },
    "POST /admin/schedules/:schedule/edit": (req, res, viewer) => edit(db, req, res, viewer),
  };
}

function scheduleId(req: Request): string {
  return Id.parse(req.params.schedule);
}

function actingOn(req: Request, viewer: Viewer) {
  return { actor: viewer.user, workspaceId: workspaceOf(viewer).id, scheduleId: scheduleId(req) };
}

async function getShown(db: Db, req: Request, viewer: Viewer): Promise<ShownSchedule> {
  const schedule = await findScheduleFor(db, viewer, scheduleId(req));
  if (schedule === undefined) throw new NotFound();
  return schedule;
}

async function showForm(
  db: Db,
  res: Response,
  viewer: Viewer,
  schedule: ShownSchedule | null,
  sent: SentSchedule,
  problems: Problems = {},
): Promise<void> {
  res.render("schedules/form", { page: await readScheduleForm(db, viewer, schedule, sent, problems) });
}

async function edit(db: Db, req: Request, res: Response, viewer: Viewer): Promise<void> {
  const sent = parseScheduleForm(req.body);
  const schedule = await getShown(db, req, viewer);
  if (sent.intent === "look") return showForm(db, res, viewer, schedule, sent);
  const { cron, time_zone: timeZone, types } = sent;
  const done = await tried(() =>
    editSchedule(db, { ...actingOn(req, viewer), wanted: { cron, timeZone, types } }),
  );
  if ("problems" in done) return showForm(db, res.status(422), viewer, schedule, sent, done.problems);
  await redirectTelling(req, res, paths.schedule(schedule.id), "The schedule was changed.");
}

async function transfer(db: Db, req: Request, res: Response, viewer: Viewer): Promise<void> {
  const sent = parseTransfer(req.body);
  const asked = { actor: viewer.user, workspaceId: workspaceOf(viewer).id, scheduleIds: sent.schedule };
  const stewardId = sent.steward ?? viewer.user.id;
  const done = await tried(() => transferSchedules(db, { ...asked, stewardId }));
  if ("problems" in done) return showTransfer(db, res.status(422), viewer, sent, done.problems);
  const { steward, moved } = done.done;
  await redirectTelling(
    req,
    res,
    paths.schedules,
    `${steward} is the steward of ${counted(moved, "schedule", "schedules")} more now.`,
  );
}

async function showTransfer(
  db: Db,
  res: Response,
  viewer: Viewer,
  sent: SentTransfer,
  problems: Problems = {},
): Promise<void> {
  res.render("schedules/transfer", { page: await readTransferPage(db, viewer, sent, problems) });
}
