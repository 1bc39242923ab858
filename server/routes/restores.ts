import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { Conflict } from "../domain/errors.ts";
import { restoreOptions } from "../domain/restores/options.ts";
import { requestPreview } from "../domain/restores/requestPreview.ts";
import { findUndoFor } from "../domain/restores/undo.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { answerStored } from "./answerStored.ts";
import { findSet } from "./comparisonQuery.ts";
import { startWithin } from "./expiry.ts";
import { readNewRestorePage, type SentRestore } from "./newRestorePage.ts";
import { type Choice, parseChoice, resolveChoice } from "./restoreChoice.ts";
import { tried } from "./tried.ts";

/** Asking what a restore would do: of what somebody chose from a backup, or of what a restore wrote over. */
export function restoreRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const Form = z.object({
    tenant: Id,
    request_key: Id,
    start_within: startWithin(config.REQUEST_EXPIRY_HOURS),
  });
  return {
    "GET /admin/backups/:backup/restores/new": (req, res, viewer) =>
      showNew(db, req, res, viewer, config, parseChoice(req.query)),
    "POST /admin/backups/:backup/restores": async (req, res, viewer) => {
      const { tenant: tenantId, request_key: requestKey, start_within: hours } = Form.parse(req.body ?? {});
      const options = restoreOptions.parse(req.body);
      const choice = parseChoice(req.body);
      const setId = Id.parse(req.params.backup);
      const asked = { setId, tenantId, options, requestKey, expiresInHours: hours };
      const answer = await tried(async () =>
        requestPreview(db, viewer, { ...asked, ...(await resolveChoice(db, setId, choice)) }),
      );
      if ("problems" in answer) {
        const sent = { tenantId, options, hours, requestKey, problems: answer.problems };
        return showNew(db, req, res.status(422), viewer, config, choice, sent);
      }
      answerStored(res, answer.done, paths.restore);
    },
    "POST /admin/operations/:run/undo": async (req, res, viewer) => {
      const { request_key: requestKey } = z.object({ request_key: Id }).parse(req.body ?? {});
      const undo = await findUndoFor(db, viewer, Id.parse(req.params.run));
      if (undo === undefined)
        throw new Conflict("It changed nothing that was there before, so there is nothing to put back.");
      const { setId, tenantId, types, options } = undo;
      const expiresInHours = config.REQUEST_EXPIRY_HOURS;
      const asked = { setId, tenantId, types, itemIds: null, options, requestKey, expiresInHours };
      answerStored(res, await requestPreview(db, viewer, asked), paths.restore);
    },
  };
}

async function showNew(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  config: { REQUEST_EXPIRY_HOURS: number },
  choice: Choice,
  sent?: SentRestore,
): Promise<void> {
  const set = await findSet(db, viewer, Id.parse(req.params.backup));
  res.render("restores/new", { page: await readNewRestorePage(db, viewer, { set, choice }, config, sent) });
}
