import type { Request, RequestHandler, Response } from "express";
import passport from "passport";
import { Strategy } from "passport-local";
import type { Db } from "../db/database.ts";
import { signIn } from "../domain/people/signIn.ts";

declare global {
  namespace Express {
    interface User {
      id: string;
    }
  }
}

export type Credentials = { email: string; password: string };

export type Identity = {
  /** Finds who the session belongs to. */
  restore: RequestHandler;
  /** Checks what the form gave, and nothing else of the request; undefined for anything that is not right. */
  check(req: Request, res: Response, given: Credentials): Promise<Express.User | undefined>;
};

/** Passport with one strategy: an address and a password, in fields of those names. */
export function makeIdentity(db: Db): Identity {
  const authenticator = new passport.Passport();
  authenticator.use(
    new Strategy({ usernameField: "email" }, (email, password, done) => {
      signIn(db, { email, password }).then((user) => done(null, user ?? false), done);
    }),
  );
  authenticator.serializeUser((user, done) => done(null, user.id));
  authenticator.deserializeUser((id, done) => done(null, typeof id === "string" ? { id } : false));
  return {
    restore: authenticator.session(),
    check: async (req, res, { email, password }) => {
      // For a field that is empty, the strategy would turn to the address's query, which no limit has counted.
      if (email === "" || password === "") return undefined;
      req.body = { email, password };
      return new Promise((resolve, reject) => {
        const answer: passport.AuthenticateCallback = (error, user) =>
          error ? reject(error) : resolve(user || undefined);
        authenticator.authenticate("local", answer)(req, res, reject);
      });
    },
  };
}

/** Begins a new session under a new id: whoever planted the old one holds nothing. */
export function beginSession(req: Request, user: Express.User): Promise<void> {
  return new Promise((resolve, reject) => {
    req.logIn(user, (error: unknown) => (error ? reject(error) : resolve()));
  });
}
