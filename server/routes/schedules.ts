import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { NotFound } from "../domain/errors.ts";
import { hasStopped, willStop } from "../domain/operations/describeStopped.ts";
import { counted } from "../domain/operations/runWords.ts";
import { drainedWords } from "../domain/revocation/describeDrained.ts";
import { createSchedule } from "../domain/schedules/createSchedule.ts";
import { scheduleName } from "../domain/schedules/describeSchedule.ts";
import { editSchedule } from "../domain/schedules/editSchedule.ts";
import { findScheduleFor, type ShownSchedule } from "../domain/schedules/findScheduleFor.ts";
import {
  deleteSchedule,
  pauseSchedule,
  previewRevocation,
  resumeSchedule,
} from "../domain/schedules/pauseSchedule.ts";
import { takeOver, transferSchedules } from "../domain/schedules/transferSchedules.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { leaveNotice } from "../http/sessions.ts";
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
const PauseForm = z.object({ note: z.string().default("") });

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
        createSchedule(db, { actor: viewer.user, workspaceId: workspaceOf(viewer).id, wanted: wantedFrom(sent) }),
      );
      if ("problems" in made) return showForm(db, res.status(422), viewer, null, sent, made.problems);
      leaveNotice(req, "The schedule was made, and you are its steward.");
      res.redirect(303, paths.schedule(made.done));
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
    "GET /admin/schedules/:schedule/pause": (req, res, viewer) =>
      showRevocation(db, req, res, viewer, "schedules/pause", {}),
    "POST /admin/schedules/:schedule/pause": async (req, res, viewer) => {
      const { note } = PauseForm.parse(req.body ?? {});
      const sent = await tried(() => pauseSchedule(db, { ...actingOn(req, viewer), note }));
      if ("problems" in sent)
        return showRevocation(db, req, res.status(422), viewer, "schedules/pause", { note, ...sent.problems });
      const { name, stops, drained } = sent.done;
      leaveNotice(req, `“${name}” is paused. ${hasStopped(stops)} ${drainedWords(drained)}`.trim());
      res.redirect(303, paths.schedule(scheduleId(req)));
    },
    "POST /admin/schedules/:schedule/resumption": async (req, res, viewer) => {
      await resumeSchedule(db, actingOn(req, viewer));
      leaveNotice(req, "The schedule runs again, from its next time on.");
      res.redirect(303, paths.schedule(scheduleId(req)));
    },
    "POST /admin/schedules/:schedule/takeover": async (req, res, viewer) => {
      await takeOver(db, actingOn(req, viewer));
      leaveNotice(req, "You are its steward now.");
      res.redirect(303, paths.schedule(scheduleId(req)));
    },
    "GET /admin/schedules/:schedule/removal": (req, res, viewer) =>
      showRevocation(db, req, res, viewer, "schedules/removal", {}),
    "POST /admin/schedules/:schedule/removal": async (req, res, viewer) => {
      const { name, stops, drained } = await deleteSchedule(db, actingOn(req, viewer));
      leaveNotice(req, `“${name}” was deleted. ${hasStopped(stops)} ${drainedWords(drained)}`.trim());
      res.redirect(303, paths.schedules);
    },
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
  const done = await tried(() => editSchedule(db, { ...actingOn(req, viewer), wanted: { cron, timeZone, types } }));
  if ("problems" in done) return showForm(db, res.status(422), viewer, schedule, sent, done.problems);
  leaveNotice(req, "The schedule was changed.");
  res.redirect(303, paths.schedule(schedule.id));
}

async function showRevocation(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  view: "schedules/pause" | "schedules/removal",
  sent: { note?: string },
): Promise<void> {
  const schedule = await getShown(db, req, viewer);
  const name = scheduleName(schedule);
  const doing = view === "schedules/pause" ? "Pausing it" : "Deleting it";
  const stops = willStop(doing, await previewRevocation(db, schedule.id));
  res.render(view, { page: { name, address: paths.schedule(schedule.id), stops, note: sent.note ?? "" } });
}

async function transfer(db: Db, req: Request, res: Response, viewer: Viewer): Promise<void> {
  const sent = parseTransfer(req.body);
  const asked = { actor: viewer.user, workspaceId: workspaceOf(viewer).id, scheduleIds: sent.schedule };
  const stewardId = sent.steward ?? viewer.user.id;
  const done = await tried(() => transferSchedules(db, { ...asked, stewardId }));
  if ("problems" in done) return showTransfer(db, res.status(422), viewer, sent, done.problems);
  const { steward, moved } = done.done;
  leaveNotice(req, `${steward} is the steward of ${counted(moved, "schedule", "schedules")} more now.`);
  res.redirect(303, paths.schedules);
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
