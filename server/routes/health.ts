import { setTimeout as wait } from "node:timers/promises";
import type { Db } from "../db/database.ts";
import type { PublicRoutes } from "../http/serve.ts";

/** How long (milliseconds) the database may take to answer; a check that waits for longer is given up by its asker. */
const patience = 2_000;

export function healthRoutes(db: Db): PublicRoutes {
  return {
    "GET /health/live": (_req, res) => {
      res.type("text").send("live\n");
    },
    "GET /health/ready": async (_req, res) => {
      const isReady = await Promise.race([answers(db), wait(patience, false)]);
      res
        .status(isReady ? 200 : 503)
        .type("text")
        .send(isReady ? "ready\n" : "the database does not answer\n");
    },
  };
}

function answers(db: Db): Promise<boolean> {
  return db.query("select 1").then(
    () => true,
    () => false,
  );
}
