import type { Request, RequestHandler, Response } from "express";
import type { Db, Reader } from "../db/database.ts";
import { recordAudit } from "../domain/audit/recordAudit.ts";
import type { Capability } from "../domain/authority/capabilities.ts";
import {
  entitledAt,
  findPlaceOfAuditEvent,
  findPlaceOfBackup,
  findPlaceOfPolicy,
  findPlaceOfRun,
  findPlaceOfSchedule,
  findPlaceOfSelection,
  findPlaceOfTenant,
  findPlacesOfRestore,
  isMemberHere,
  isNotificationOf,
  isRoleHere,
  mayAt,
  type Place,
} from "../domain/authority/places.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { Forbidden, NotFound } from "../domain/errors.ts";
import { type Access, accessOf, type RouteName } from "./accessTable.ts";
import { holds } from "./allows.ts";
import { isId } from "./ids.ts";
import { toSignIn } from "./returnPath.ts";

type Answer =
  | { kind: "allowed"; viewer: Viewer }
  | { kind: "absent" }
  | { kind: "lacking"; capability: Capability; viewer: Viewer; tenantId: string | null };

/** Lets a request through to its handler, or answers it: sign-in page, the one 404, or the 403. */
export function guard(db: Db, route: RouteName): RequestHandler {
  const access = accessOf(route);
  return async (req, res, next) => {
    if (access.scope === "public") return next();
    if (req.viewer === undefined) return sendToSignIn(req, res);
    const answer = await answerFor(db, req.viewer, access, req.params[access.scope]);
    if (answer.kind === "allowed") {
      req.viewer = answer.viewer;
      return next();
    }
    await recordRefusal(db, req.viewer, route, req.params[access.scope], answer);
    if (answer.kind === "absent") throw new NotFound();
    req.viewer = answer.viewer;
    throw new Forbidden(answer.capability);
  };
}

function sendToSignIn(req: Request, res: Response): void {
  const address = toSignIn(req.method === "GET" ? req.originalUrl : null);
  // A polled part of a page cannot show the sign-in page: the whole page has to go there.
  if (req.get("hx-request") === "true") res.set("HX-Redirect", address).status(204).end();
  else res.redirect(303, address);
}

async function answerFor(reader: Reader, viewer: Viewer, access: Access, param: unknown): Promise<Answer> {
  switch (access.scope) {
    case "public":
    case "account":
      return { kind: "allowed", viewer };
    case "notification":
      return isId(param) && (await isNotificationOf(reader, viewer, param))
        ? { kind: "allowed", viewer }
        : { kind: "absent" };
    case "tenant":
    case "run":
    case "event":
    case "backup":
    case "schedule":
    case "policy":
    case "selection":
      return isId(param) ? answerAtPlace(reader, viewer, access, param) : { kind: "absent" };
    case "restore":
      return isId(param) ? answerAtRestore(reader, viewer, access.capability, param) : { kind: "absent" };
    case "workspace":
      return answerInWorkspace(viewer, access);
    case "member":
    case "role": {
      // The right first: whoever lacks it must not learn from the answer who or what is here.
      const answer = answerInWorkspace(viewer, access);
      if (answer.kind !== "allowed") return answer;
      const isHere = access.scope === "member" ? isMemberHere : isRoleHere;
      return isId(param) && (await isHere(reader, viewer, param)) ? answer : { kind: "absent" };
    }
  }
}

type PlaceScope = "tenant" | "run" | "event" | "backup" | "schedule" | "policy" | "selection";

async function answerAtPlace(
  reader: Reader,
  viewer: Viewer,
  access: Extract<Access, { scope: PlaceScope }>,
  id: string,
): Promise<Answer> {
  const place = await findPlace(reader, viewer, access.scope, id);
  const there = place === undefined ? undefined : entitledAt(viewer, place);
  if (place === undefined || there === undefined) return { kind: "absent" };
  const { capability } = access;
  return capability === null || mayAt(viewer, capability, place)
    ? { kind: "allowed", viewer: there }
    : { kind: "lacking", capability, viewer: there, tenantId: place.tenantId };
}

function findPlace(
  reader: Reader,
  viewer: Viewer,
  scope: PlaceScope,
  id: string,
): Promise<Place | undefined> {
  switch (scope) {
    case "tenant":
      return findPlaceOfTenant(reader, id);
    case "run":
      return findPlaceOfRun(reader, viewer, id);
    case "event":
      return findPlaceOfAuditEvent(reader, id);
    case "backup":
      return findPlaceOfBackup(reader, id);
    case "schedule":
      return findPlaceOfSchedule(reader, id);
    case "policy":
      return findPlaceOfPolicy(reader, id);
    case "selection":
      return findPlaceOfSelection(reader, id);
  }
}

/** A restore stands at its target; it shows what is in backups of the tenant it takes from. */
async function answerAtRestore(
  reader: Reader,
  viewer: Viewer,
  capability: Capability,
  id: string,
): Promise<Answer> {
  const places = await findPlacesOfRestore(reader, id);
  if (places === undefined) return { kind: "absent" };
  const { target, source } = places;
  const there = entitledAt(viewer, target);
  if (there === undefined || entitledAt(viewer, source) === undefined) return { kind: "absent" };
  for (const needed of [capability, "restore.preview"] as const)
    if (!mayAt(viewer, needed, target))
      return { kind: "lacking", capability: needed, viewer: there, tenantId: target.tenantId };
  return mayAt(viewer, "backup.view", source)
    ? { kind: "allowed", viewer: there }
    : { kind: "lacking", capability: "backup.view", viewer: there, tenantId: source.tenantId };
}

function answerInWorkspace(
  viewer: Viewer,
  access: Extract<Access, { scope: "workspace" | "member" | "role" }>,
): Answer {
  if (viewer.workspace === null) return { kind: "absent" };
  return holds(viewer, access)
    ? { kind: "allowed", viewer }
    : { kind: "lacking", capability: access.capability, viewer, tenantId: null };
}

/** The same entry for what is foreign and what is absent: the trail tells no more than the page. */
async function recordRefusal(
  db: Db,
  viewer: Viewer,
  route: RouteName,
  param: unknown,
  answer: Exclude<Answer, { kind: "allowed" }>,
): Promise<void> {
  const lacking = answer.kind === "lacking" ? answer : null;
  await db.transaction((tx) =>
    recordAudit(tx, {
      workspaceId: (lacking?.viewer ?? viewer).workspace?.id ?? null,
      tenantId: lacking?.tenantId ?? null,
      actor: { id: viewer.user.id, name: viewer.user.name },
      action: "access.refused",
      subject: { type: "page", id: isId(param) ? param : null },
      outcome: "denied",
      details: { route, answer: lacking === null ? 404 : 403, capability: lacking?.capability ?? null },
    }),
  );
}
