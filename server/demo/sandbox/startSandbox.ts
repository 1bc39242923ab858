import { once } from "node:events";
import { createServer, type Server } from "node:http";
import express, { type Express, type Request, type Response } from "express";
import { ZodError } from "zod";
import { makeControlRouter } from "./control.ts";
import { type DirectoryDefinition, makeDirectories } from "./directories.ts";
import { answerGraphRequest, bearerOf } from "./graph.ts";
import { answerTokenRequest } from "./login.ts";
import { makeRequestLog, type RequestLog, type RequestRecord } from "./requestLog.ts";
import type { SandboxState } from "./state.ts";
import { claimedDirectory, makeTokenDesk } from "./tokens.ts";

export type SandboxOptions = {
  /** 0 for any free port. */
  port: number;
  host?: string;
  directories: DirectoryDefinition[];
};

export type Sandbox = {
  /** GRAPH_URL and LOGIN_URL alike. */
  url: string;
  /** What was asked of it so far; see `requestLog.ts`. */
  requests: RequestLog;
  /** Lets held requests go, closes every connection and stops listening. */
  close(): Promise<void>;
};

/** Starts a Graph-shaped server with a token endpoint. Rejects when it cannot listen. */
export async function startSandbox({
  port,
  host = "127.0.0.1",
  directories,
}: SandboxOptions): Promise<Sandbox> {
  const state = {
    directories: makeDirectories(directories),
    log: makeRequestLog(),
    tokenDesk: makeTokenDesk(),
  };
  const server = createServer(makeApp(state));
  server.listen(port, host);
  await once(server, "listening");
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${portOf(server)}`,
    requests: state.log,
    async close() {
      state.directories.clearFaults();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function makeApp(state: SandboxState): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.use("/_sandbox", makeControlRouter(state));
  app.post(
    "/:directoryId/oauth2/v2.0/token",
    express.urlencoded({ extended: false }),
    (request, response) => {
      const { directoryId } = request.params;
      record(state.log, "token", directoryId, request, response);
      return answerTokenRequest(state, directoryId, request, response);
    },
  );
  app.all(["/beta/*path", "/v1.0/*path"], (request, response) => {
    record(state.log, "graph", claimedDirectory(bearerOf(request)), request, response);
    return answerGraphRequest(state, request, response);
  });
  app.use((error: unknown, _request: Request, response: Response, next: (error: unknown) => void) => {
    if (!(error instanceof ZodError)) return next(error);
    response.status(400).json({ error: error.issues });
  });
  return app;
}

function record(
  log: RequestLog,
  kind: RequestRecord["kind"],
  directoryId: string | null,
  request: Request,
  response: Response,
): void {
  const { pathname, search } = new URL(request.originalUrl, "http://sandbox");
  const answered = log.open({
    kind,
    method: request.method,
    path: pathname,
    query: search,
    directoryId,
    clientRequestId: request.get("client-request-id") ?? null,
  });
  response.once("finish", () => answered(response.statusCode));
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The sandbox has no port");
  return address.port;
}
