import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import { recordSignOut } from "../domain/people/signIn.ts";
import { beginSession, type Identity } from "../http/identity.ts";
import { home, safeReturnPath } from "../http/returnPath.ts";
import type { PublicRoutes, Routes } from "../http/serve.ts";
import { endSession, sessionCookie, storeSession } from "../http/sessions.ts";
import { usableZone } from "../http/showTime.ts";
import type { SignInLimits } from "../http/signInLimits.ts";

const SignInForm = z.object({
  email: z
    .string()
    .max(320)
    .regex(/^\P{Cc}*$/u)
    .catch(""),
  password: z.string().max(1000).catch(""),
  /** Filled in by the script. */
  time_zone: z.string().max(64).catch(""),
  return_to: z
    .string()
    .optional()
    .catch(undefined)
    .transform((path) => safeReturnPath(path) ?? home),
});

export function publicSignInRoutes(deps: { identity: Identity; limits: SignInLimits }): PublicRoutes {
  return {
    "GET /": (_req, res) => res.redirect(303, home),
    "GET /sign-in": (req, res) => {
      const returnTo = safeReturnPath(req.query.return_to) ?? home;
      if (req.viewer !== undefined) return res.redirect(303, returnTo);
      showForm(res, 200, { returnTo, email: "", problem: null });
    },
    "POST /sign-in": async (req, res) => {
      const form = SignInForm.parse(req.body ?? {});
      const attempt = { email: form.email, ip: req.ip ?? "unknown" };
      const tooMany = await deps.limits.count(attempt);
      if (tooMany !== undefined) return refuseForNow(res, form, tooMany.retryAfter);
      const user = await deps.identity.check(req, res, form);
      if (user === undefined) return refuse(res, form);
      await deps.limits.forgive(attempt);
      await beginSession(req, user);
      req.session.timeZone = usableZone(form.time_zone);
      // With the session, so that no later page sets a cookie of its own.
      req.csrfToken?.();
      await storeSession(req);
      res.redirect(303, form.return_to);
    },
  };
}

export function signOutRoutes(db: Db): Routes {
  return {
    "POST /sign-out": async (req: Request, res: Response, viewer) => {
      await recordSignOut(db, viewer.user);
      await endSession(req);
      res.clearCookie(sessionCookie).redirect(303, "/sign-in");
    },
  };
}

type SentForm = z.infer<typeof SignInForm>;
type ShownForm = { returnTo: string; email: string; problem: string | null };

function refuse(res: Response, form: SentForm): void {
  showForm(res, 401, {
    returnTo: form.return_to,
    email: form.email,
    problem: "The address or the password is not right. Check both and try again.",
  });
}

function refuseForNow(res: Response, form: SentForm, retryAfter: number): void {
  const minutes = Math.ceil(retryAfter / 60);
  res.set("retry-after", String(retryAfter));
  showForm(res, 429, {
    returnTo: form.return_to,
    email: form.email,
    problem: `There were too many tries. Wait ${minutes} ${minutes === 1 ? "minute" : "minutes"}, then try again.`,
  });
}

function showForm(res: Response, status: number, form: ShownForm): void {
  res.status(status).render("sign-in/show", { form });
}
