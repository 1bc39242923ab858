import type { Db } from "../db/database.ts";
import type { PublicRoutes } from "../http/serve.ts";

export function healthRoutes(db: Db): PublicRoutes {
  return {
    "GET /health/live": (_req, res) => {
      res.type("text").send("live\n");
    },
    "GET /health/ready": async (_req, res) => {
      const isReady = await db.query("select 1").then(
        () => true,
        () => false,
      );
      res
        .status(isReady ? 200 : 503)
        .type("text")
        .send(isReady ? "ready\n" : "the database does not answer\n");
    },
  };
}
