import { fileURLToPath } from "node:url";
import ejs from "ejs";
import express, { type Express } from "express";
import type { Logger } from "pino";
import type { WebConfig } from "./config.ts";
import type { Db } from "./db/database.ts";
import type { CredentialKey } from "./domain/connections/sealing.ts";
import { assetFiles, assets } from "./http/assets.ts";
import { csrf } from "./http/csrf.ts";
import { errorPages, nothingHere } from "./http/errorPages.ts";
import { forms } from "./http/forms.ts";
import { makeIdentity } from "./http/identity.ts";
import { requestLog } from "./http/requestLog.ts";
import { neverKept, securityHeaders } from "./http/securityHeaders.ts";
import { serveGuarded, servePublic } from "./http/serve.ts";
import { sessions } from "./http/sessions.ts";
import { makeSignInLimits } from "./http/signInLimits.ts";
import { viewBasics, viewers } from "./http/viewers.ts";
import { auditRoutes } from "./routes/audit.ts";
import { comparisonRoutes } from "./routes/backupComparison.ts";
import { backupRoutes } from "./routes/backups.ts";
import { bulkBackupRoutes } from "./routes/bulkBackups.ts";
import { bulkPolicyRoutes } from "./routes/bulkPolicies.ts";
import { bulkSyncRoutes } from "./routes/bulkSync.ts";
import { connectionRoutes } from "./routes/connections.ts";
import { healthRoutes } from "./routes/health.ts";
import { holdRoutes } from "./routes/holds.ts";
import { homeRoutes } from "./routes/home.ts";
import { inventoryRoutes } from "./routes/inventory.ts";
import { memberRoutes } from "./routes/members.ts";
import { notificationRoutes } from "./routes/notifications.ts";
import { operationRoutes } from "./routes/operations.ts";
import { restorePlanRoutes } from "./routes/restorePlans.ts";
import { restoreRoutes } from "./routes/restores.ts";
import { roleRoutes } from "./routes/roles.ts";
import { runActionRoutes } from "./routes/runActions.ts";
import { scheduleActionRoutes } from "./routes/scheduleActions.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { publicSignInRoutes, signOutRoutes } from "./routes/signIn.ts";
import { startRoutes } from "./routes/startOperations.ts";
import { tenantRoutes } from "./routes/tenants.ts";

export type AppConfig = Pick<WebConfig, "NODE_ENV" | "SESSION_SECRET" | "REQUEST_EXPIRY_HOURS"> & {
  CREDENTIAL_KEYS: readonly CredentialKey[];
};

/** What the app needs from outside. `config` is never read from the environment here. */
export type AppDeps = { db: Db; logger: Logger; config: AppConfig };

export function createApp({ db, logger, config }: AppDeps): Express {
  const app = express();
  configure(app, config);

  const identity = makeIdentity(db);
  app.use(requestLog(logger));
  app.use(securityHeaders(config));
  app.use(assetFiles());
  app.use(neverKept);
  app.use(viewBasics(assets));
  app.use(forms);
  app.use(sessions(db, logger, config));
  app.use(csrf.csrfSynchronisedProtection);
  app.use(identity.restore);
  app.use(viewers(db));

  servePublic(app, {
    ...healthRoutes(db),
    ...publicSignInRoutes({ identity, limits: makeSignInLimits(db) }),
  });
  serveGuarded(app, db, {
    ...signOutRoutes(db),
    ...homeRoutes(),
    ...operationRoutes(db),
    ...runActionRoutes(db, config),
    ...notificationRoutes(db),
    ...tenantRoutes(db, config),
    ...startRoutes(db, config),
    ...holdRoutes(db),
    ...connectionRoutes(db, config),
    ...scheduleRoutes(db),
    ...scheduleActionRoutes(db),
    ...backupRoutes(db, config),
    ...comparisonRoutes(db),
    ...restoreRoutes(db, config),
    ...restorePlanRoutes(db, config),
    ...inventoryRoutes(db),
    ...bulkPolicyRoutes(db, config),
    ...bulkSyncRoutes(db, config),
    ...bulkBackupRoutes(db, config),
    ...memberRoutes(db),
    ...roleRoutes(db),
    ...auditRoutes(db),
  });

  app.use(nothingHere);
  app.use(errorPages(db));
  return app;
}

function configure(app: Express, config: AppConfig): void {
  app.engine("ejs", ejs.renderFile);
  app.set("views", fileURLToPath(new URL("../views", import.meta.url)));
  app.set("view engine", "ejs");
  app.set("view cache", config.NODE_ENV !== "development");
  app.set("query parser", "simple");
  app.disable("x-powered-by");
  // Pages differ by who looks; a tag would only tell foreign and absent apart.
  app.disable("etag");
  // One proxy in front, as on Heroku: the address people come from and whether they came over TLS.
  if (config.NODE_ENV === "production") app.set("trust proxy", 1);
}
