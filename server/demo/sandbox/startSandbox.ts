import { once } from "node:events";
import { createServer, type Server } from "node:http";
import express, { type Express, type Request, type Response } from "express";
import { ZodError } from "zod";
import { makeControlRouter } from "./control.ts";
import { makeDefinitionCatalogue } from "./definitionCatalogue.ts";
import { type DirectoryDefinition, makeDirectories } from "./directories.ts";
import { batchHeader } from "./graph/batch.ts";
import { readJson } from "./graph/call.ts";
import { makeSchema } from "./graph/schema.ts";
import { answerGraphRequest, bearerOf, isBatch } from "./graph.ts";
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
    schema: makeSchema(),
    definitions: makeDefinitionCatalogue(),
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
      record(state, { kind: "token", directoryId }, request, response);
      return answerTokenRequest(state, directoryId, request, response);
    },
  );
  // As text, so that what is no JSON arrives, is recorded and gets Graph's own refusal.
  const asText = express.text({ type: () => true, limit: "64mb" });
  app.all(["/beta/*path", "/v1.0/*path"], asText, (request, response) => {
    record(state, { kind: "graph", directoryId: claimedDirectory(bearerOf(request)) }, request, response);
    return answerGraphRequest(state, request, response);
  });
  app.use((error: unknown, _request: Request, response: Response, next: (error: unknown) => void) => {
    if (!(error instanceof ZodError)) return next(error);
    response.status(400).json({ error: error.issues });
  });
  return app;
}

function record(
  { log, directories }: SandboxState,
  asked: Pick<RequestRecord, "kind" | "directoryId">,
  request: Request,
  response: Response,
): void {
  const { pathname, search } = new URL(request.originalUrl, "http://sandbox");
  const isKept =
    asked.kind === "graph" &&
    !isBatch(request) &&
    directories.find(asked.directoryId ?? "")?.keepBodies === true;
  const answered = log.open({
    ...asked,
    method: request.method,
    path: pathname,
    query: search,
    clientRequestId: request.get("client-request-id") ?? null,
    inBatch: request.get(batchHeader) !== undefined,
    body: isKept ? (readJson(request.body) ?? null) : null,
  });
  response.once("finish", () => answered(response.statusCode));
  response.once("close", () => response.writableFinished || answered(null));
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The sandbox has no port");
  return address.port;
}
