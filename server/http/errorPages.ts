import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";
import { z } from "zod";
import { isDatabaseAway } from "../db/away.ts";
import type { Db } from "../db/database.ts";
import { sqlStateOf } from "../db/retrying.ts";
import { capabilities } from "../domain/authority/capabilities.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "../domain/errors.ts";
import { listGranters } from "../domain/people/listGranters.ts";
import { isCsrfError } from "./csrf.ts";

type ErrorPage = {
  status: number;
  title: string;
  /** What happened and what to do, a paragraph each. */
  words: string[];
  /** Shown in mono below: the id of the missing capability, or that of the request. */
  detail: { label: string; value: string } | null;
};

export const nothingHere: RequestHandler = () => {
  throw new NotFound();
};

/** The one place that turns errors into pages. */
export function errorPages(db: Db): ErrorRequestHandler {
  return async (error: unknown, req, res, _next) => {
    if (res.headersSent) return noteUnfinished(error, req, res);
    const page = await pageFor(db, error, req).catch((second: unknown) => broken(second, req, res));
    if (page.status >= 500) noteFault(error, res);
    if (page.status === 503) res.setHeader("retry-after", "15");
    res.status(page.status).render("errors/page", { page }, (failure: unknown, html) => {
      if (!failure) return res.send(html);
      noteFault(failure, res);
      res.status(500).type("text").send(`Something went wrong on our side. Request ${req.id}\n`);
    });
  };
}

async function pageFor(db: Db, error: unknown, req: Request): Promise<ErrorPage> {
  if (error instanceof NotFound) return notFound;
  if (error instanceof Forbidden) return forbidden(db, error, req);
  if (error instanceof Invalid) return plain(422, "That could not be used", Object.values(error.fields));
  if (error instanceof Conflict) return plain(409, "Something changed meanwhile", [error.message]);
  if (error instanceof z.ZodError || sqlStateOf(error) === notText) return unreadable;
  if (isCsrfError(error)) return formRefused;
  if (isDatabaseAway(error)) return databaseAway;
  const status = HttpError.safeParse(error).data?.status ?? 500;
  // An address that cannot even be decoded names nothing.
  if (status === 400 && req.method === "GET") return notFound;
  return status >= 500 ? fault(req) : { ...unreadable, status };
}

const HttpError = z.object({ status: z.number().int().min(400).max(599) });

/** PostgreSQL's word for bytes that are no text, such as a NUL: what was sent is at fault, not we. */
const notText = "22021";

const notFound = plain(404, "Nothing here for you", [
  "This page does not exist, or it is not for you to see. If somebody sent you the link, ask them.",
]);

const unreadable = plain(422, "That could not be read", [
  "Some of what was sent is not what this page expects. Go back, reload and try again.",
]);

const databaseAway = plain(503, "The database does not answer", [
  "It is restarting, cannot be reached or has more to do than it can. What was requested before is not lost and goes on when it is back.",
  "If you sent a form just now, look whether it took effect before you send it again. Try again in a minute.",
]);

const formRefused = plain(403, "This form can no longer be sent", [
  "You may have been signed out, or signed in again in another window. Go back, reload that page and send the form again.",
]);

async function forbidden(db: Db, { capability }: Forbidden, req: Request): Promise<ErrorPage> {
  const workspace = req.viewer?.workspace;
  const names = workspace ? await listGranters(db, workspace.id) : [];
  return {
    status: 403,
    title: `You may not ${capabilities[capability]}`,
    words: [
      `Your roles in ${workspace?.name ?? "this workspace"} do not include this right here.`,
      names.length === 0
        ? "Ask whoever manages members to grant it."
        : `${inWords(names)} can grant it. Name the capability below when you ask.`,
    ],
    detail: { label: "Missing capability", value: capability },
  };
}

function fault(req: Request): ErrorPage {
  return {
    status: 500,
    title: "Something went wrong on our side",
    words: [
      "Try again in a minute. If it happens again, give your administrator this id: it is in the logs.",
    ],
    detail: { label: "Request", value: String(req.id) },
  };
}

function broken(second: unknown, req: Request, res: Response): ErrorPage {
  noteFault(second, res);
  return fault(req);
}

/** pino-http logs it with the request's own line, under the id the page shows. */
function noteFault(error: unknown, res: Response): void {
  res.err = error instanceof Error ? error : new Error("Something that is no error was thrown.");
}

/** Too late for a page: the session could not be stored, or rendering broke off half-way. */
function noteUnfinished(error: unknown, req: Request, res: Response): void {
  req.log.error({ err: error }, "a fault after the answer had begun");
  if (!res.writableEnded) res.destroy();
}

function plain(status: number, title: string, words: string[]): ErrorPage {
  return { status, title, words, detail: null };
}

function inWords(names: readonly string[]): string {
  return new Intl.ListFormat("en-GB", { type: "disjunction" }).format(names);
}
