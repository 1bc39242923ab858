import type { Express, Request, RequestHandler, Response } from "express";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { type GuardedRoute, isRouteName, type PublicRoute } from "./accessTable.ts";
import { guard } from "./guard.ts";

/** `viewer` stands in the workspace the page is about. */
export type Handler = (req: Request, res: Response, viewer: Viewer) => void | Promise<void>;
export type PublicHandler = (req: Request, res: Response) => void | Promise<void>;

/** A page family: each of its routes, named as in the access table. */
export type Routes = { [R in GuardedRoute]?: Handler };
export type PublicRoutes = { [R in PublicRoute]?: PublicHandler };

export function servePublic(app: Express, routes: PublicRoutes): void {
  for (const [name, handler] of Object.entries(routes)) register(app, name, handler);
}

/** Every handler stands behind the guard of its line in the access table. */
export function serveGuarded(app: Express, db: Db, routes: Routes): void {
  for (const [name, handler] of Object.entries(routes)) {
    register(app, name, guard(db, knownRoute(name)), (req, res) => {
      if (req.viewer === undefined) throw new Error("A guarded route was reached without a viewer.");
      return handler(req, res, req.viewer);
    });
  }
}

function register(app: Express, name: string, ...handlers: RequestHandler[]): void {
  const [method, path = ""] = knownRoute(name).split(" ");
  if (method === "GET") app.get(path, ...handlers);
  else app.post(path, ...handlers);
}

function knownRoute(name: string) {
  if (!isRouteName(name)) throw new Error(`The route "${name}" has no line in server/http/accessTable.ts.`);
  return name;
}
