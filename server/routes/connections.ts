import type { Request, Response } from "express";
import type { Db } from "../db/database.ts";
import type { Viewer } from "../domain/authority/viewer.ts";
import { replaceCredential } from "../domain/connections/replaceCredential.ts";
import type { CredentialKey } from "../domain/connections/sealing.ts";
import { NotFound } from "../domain/errors.ts";
import { hasStopped } from "../domain/operations/describeStopped.ts";
import { drainedWords } from "../domain/revocation/describeDrained.ts";
import { Id } from "../http/ids.ts";
import { paths } from "../http/paths.ts";
import type { Routes } from "../http/serve.ts";
import { redirectTelling } from "../http/sessions.ts";
import { parseCredential, type ShownCredential, showAgain, toNewCredential } from "./connectionForm.ts";
import { readConnectionPage } from "./connectionPage.ts";
import { tried } from "./tried.ts";
import { workspaceOf } from "./workspaceOf.ts";

/** A tenant's connection: what is known of it, what it allows, and a new credential for it. */
export function connectionRoutes(db: Db, config: { CREDENTIAL_KEYS: readonly CredentialKey[] }): Routes {
  return {
    "GET /admin/tenants/:tenant/connection": (req, res, viewer) => showConnection(db, req, res, viewer),
    "POST /admin/tenants/:tenant/connection": async (req, res, viewer) => {
      const sent = parseCredential(req.body);
      const tenantId = Id.parse(req.params.tenant);
      const at = { actor: viewer.user, workspaceId: workspaceOf(viewer).id, tenantId };
      const answer = await tried(async () =>
        replaceCredential(db, config.CREDENTIAL_KEYS, { ...at, ...toNewCredential(sent) }),
      );
      if ("problems" in answer)
        return showConnection(db, req, res.status(422), viewer, showAgain(sent, answer.problems));
      const { tenant, cameBack, stops, drained } = answer.done;
      const done = cameBack
        ? `${tenant} is being set up again with its new credential.`
        : "The new credential is stored.";
      await redirectTelling(
        req,
        res,
        paths.connection(tenantId),
        `${done} Verify the connection now. ${hasStopped(stops)} ${drainedWords(drained)}`.trim(),
      );
    },
  };
}

async function showConnection(
  db: Db,
  req: Request,
  res: Response,
  viewer: Viewer,
  sent?: ShownCredential,
): Promise<void> {
  const page = await readConnectionPage(db, viewer, Id.parse(req.params.tenant), sent);
  if (page === undefined) throw new NotFound();
  res.render("connections/show", { page });
}
