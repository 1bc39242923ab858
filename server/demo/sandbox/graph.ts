import type { Request, Response } from "express";
import { type Answer, originOf, type Refusal, refused, sendAnswer, sendGraphError } from "./answers.ts";
import type { Directory } from "./directories.ts";
import { answerBatch } from "./graph/batch.ts";
import { readJson } from "./graph/call.ts";
import { answerCall } from "./graph/routes.ts";
import type { SandboxState } from "./state.ts";

/**
 * Graph's side: every request is held against its token, then against the directory's faults, then carried
 * out; a fault may still come between what was done and the answer.
 */
export async function answerGraphRequest(
  state: SandboxState,
  request: Request,
  response: Response,
): Promise<unknown> {
  response.set("request-id", crypto.randomUUID());
  response.set("client-request-id", request.get("client-request-id") ?? crypto.randomUUID());
  const claims = await state.tokenDesk.verify(bearerOf(request), originOf(request));
  const directory = claims === null ? undefined : state.directories.find(claims.tid);
  if (claims === null || directory === undefined || claims.generation !== directory.tokenGeneration) {
    const message = "Access token has expired or is not yet valid.";
    return sendGraphError(request, response, 401, "InvalidAuthenticationToken", message);
  }
  if (await directory.faults.intercept({ on: "graph", after: false }, request, response)) return;
  const answer = await carryOut(state, directory, claims.roles, request, response);
  if (await directory.faults.intercept({ on: "graph", after: true }, request, response)) return;
  return sendAnswer(request, response, answer);
}

/** The token of an Authorization header, or an empty text. */
export function bearerOf(request: Request): string {
  return /^Bearer (.+)$/i.exec(request.get("authorization") ?? "")?.[1] ?? "";
}

async function carryOut(
  state: SandboxState,
  directory: Directory,
  roles: string[],
  request: Request,
  response: Response,
): Promise<Answer | Refusal> {
  const { method } = request;
  if (isBatch(request)) {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    return answerBatch(request, gone.signal);
  }
  const sendsJson = /^application\/json\b/.test(request.get("content-type") ?? "");
  if (request.body !== undefined && request.body !== "" && !sendsJson)
    return refused("graph", 400, "RequestBodyRead", "Write requests must declare their content as JSON.");
  return answerCall({
    method,
    address: new URL(request.originalUrl, originOf(request)),
    body: readJson(request.body),
    directory,
    roles,
    schema: state.schema,
    definitions: state.definitions,
  });
}

/** A batch is no write itself: what it holds is recorded part by part. */
export function isBatch(request: Request): boolean {
  return request.method === "POST" && /^\/(beta|v1\.0)\/\$batch$/.test(request.path);
}
