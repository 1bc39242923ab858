import type { Request, Response } from "express";
import { z } from "zod";
import type { Db } from "../db/database.ts";
import { lifecycles } from "../domain/authority/contract.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { NotFound } from "../domain/errors.ts";
import { hasStopped } from "../domain/operations/describeStopped.ts";
import { drainedWords } from "../domain/revocation/describeDrained.ts";
import { changeLifecycle } from "../domain/tenants/changeLifecycle.ts";
import { stepWords } from "../domain/tenants/describeLifecycle.ts";
import { releaseWords } from "../domain/tenants/describeRelease.ts";
import { placeHold, releaseHold } from "../domain/tenants/hold.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling } from "../http/sessions.ts";
import { Hours } from "./durations.ts";
import { type ExpiryOption, expiryOptions } from "./expiry.ts";
import { readLifecyclePage, type SentName } from "./lifecyclePage.ts";
import { readTenantPage, type SentHold } from "./tenantPage.ts";
import { parseTenantsQuery, readTenantsPage } from "./tenantsPage.ts";
import { tried } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

const HoldForm = z.object({ reason: z.string(), for_hours: Hours });
const LifecycleQuery = z.object({ to: z.enum(lifecycles) });
const LifecycleForm = LifecycleQuery.extend({ name: z.string().default("") });

/** The tenants of a workspace: what stands in the way, what can be held and changed. */
export function tenantRoutes(db: Db, config: { REQUEST_EXPIRY_HOURS: number }): Routes {
  const expiries = expiryOptions(config.REQUEST_EXPIRY_HOURS);
  return {
    "GET /admin/tenants": async (req, res, viewer) => {
      res.render("tenants/index", { page: await readTenantsPage(db, viewer, parseTenantsQuery(req.query)) });
    },
    "GET /admin/tenants/:tenant": (req, res, viewer) => showTenant(db, { req, res, viewer, expiries }),
    "POST /admin/tenants/:tenant/hold": async (req, res, viewer) => {
      const { reason, for_hours: forHours } = HoldForm.parse(req.body ?? {});
      const hold = { ...actingAt(req, viewer), reason, ...(forHours !== null && { forHours }) };
      const sent = await tried(() => placeHold(db, hold));
      if ("problems" in sent)
        return showTenant(
          db,
          { req, res: res.status(422), viewer, expiries },
          { reason, forHours, problems: sent.problems },
        );
      await redirectTelling(
        req,
        res,
        paths.tenant(tenantId(req)),
        "The tenant is on hold: runs wait until it is released.",
      );
    },
    "POST /admin/tenants/:tenant/release": async (req, res, viewer) => {
      const released = await releaseHold(db, actingAt(req, viewer));
      await redirectTelling(req, res, paths.tenant(tenantId(req)), releaseWords(released, "tenant"));
    },
    "GET /admin/tenants/:tenant/lifecycle": async (req, res, viewer) => {
      const { to } = LifecycleQuery.parse(req.query);
      await showLifecycle(db, req, res, viewer, { to, name: "", problems: {} });
    },
    "POST /admin/tenants/:tenant/lifecycle": async (req, res, viewer) => {
      const { to, name } = LifecycleForm.parse(req.body ?? {});
      const sent = await tried(() => changeLifecycle(db, { ...actingAt(req, viewer), to, typedName: name }));
      if ("problems" in sent)
        return showLifecycle(db, req, res.status(422), viewer, { to, name, problems: sent.problems });
      const { tenant, stops, drained } = sent.done;
      await redirectTelling(
        req,
        res,
        paths.tenant(tenantId(req)),
        `${stepWords[to].done(tenant)} ${hasStopped(stops)} ${drainedWords(drained)}`.trim(),
      );
    },
  };
}

function tenantId(req: Request): string {
  return Id.parse(req.params.tenant);
}

function actingAt(req: Request, viewer: Viewer) {
  return { actor: viewer.user, workspaceId: workspaceOf(viewer).id, tenantId: tenantId(req) };
}

async function showTenant(
  db: Db,
  { req, res, viewer, expiries }: { req: Request; res: Response; viewer: Viewer; expiries: ExpiryOption[] },
  sent?: SentHold,
): Promise<void> {
  const page = await readTenantPage(db, viewer, tenantId(req), sent);
  if (page === undefined) throw new NotFound();
  res.render("tenants/show", { page, expiries });
}

async function showLifecycle(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  sent: SentName,
): Promise<void> {
  const page = await readLifecyclePage(db, viewer, tenantId(req), sent);
  if (page === undefined) throw new NotFound();
  res.render("tenants/lifecycle", { page });
}
