import connectPgSimple from "connect-pg-simple";
import type { Request, RequestHandler, Response } from "express";
import session from "express-session";
import type { Logger } from "pino";
import type { Db } from "../db/database.ts";

declare module "express-session" {
  interface SessionData {
    /** The workspace someone chose to look at. It grants nothing. */
    workspaceId?: string;
    /** Where the browser said it is. */
    timeZone?: string;
    /** Shown on the next page, once. */
    notice?: string;
  }
}

export const sessionCookie = "countersign.sid";
const twelveHours = 12 * 60 * 60;

/** A session holds who someone is and the workspace they look at; what they may is read on every request. */
export function sessions(
  db: Db,
  logger: Logger,
  config: { SESSION_SECRET: string; NODE_ENV: string },
): RequestHandler {
  const PgStore = connectPgSimple(session);
  return session({
    name: sessionCookie,
    secret: config.SESSION_SECRET,
    resave: false,
    saveUninitialized: false,
    store: new PgStore({
      pool: db.pool,
      tableName: "sessions",
      ttl: twelveHours,
      // A session ends twelve hours after sign-in, used or not; so no write on every request either.
      disableTouch: true,
      errorLog: () => logger.warn("expired sessions could not be removed"),
    }),
    cookie: {
      httpOnly: true,
      sameSite: "lax",
      secure: config.NODE_ENV === "production",
      maxAge: twelveHours * 1000,
    },
  });
}

/** Leads to a page that begins with a sentence on what an action did. */
export async function redirectTelling(
  req: Request,
  res: Response,
  address: string,
  notice: string,
): Promise<void> {
  req.session.notice = notice;
  await storeSession(req);
  res.redirect(303, address);
}

export function takeNotice(req: Request): string | null {
  const { notice } = req.session;
  // A part of a page that updates itself would show it and be replaced two seconds later.
  if (notice === undefined || req.get("hx-request") === "true") return null;
  delete req.session.notice;
  return notice;
}

/** Stores what was put into it, before the answer: a browser follows a redirect sooner than the answer has ended. */
export function storeSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.save((error: unknown) => (error ? reject(error) : resolve()));
  });
}

/** Throws the session away and goes on with an empty one, which is stored only if something is put in it. */
export function dropSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.regenerate((error: unknown) => (error ? reject(error) : resolve()));
  });
}

export function endSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    req.session.destroy((error: unknown) => (error ? reject(error) : resolve()));
  });
}
