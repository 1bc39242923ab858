import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import type { Request, Response } from "express";
import { UnsecuredJWT } from "jose";
import { originOf, sendGraphError, sendLoginError } from "./answers.ts";
import type { Fault, Garbage, GraphFault } from "./faults.ts";

/** Does what the fault says. True when that was an answer, false when the request goes on. */
export async function answerWithFault(
  fault: Fault,
  released: Promise<void>,
  request: Request,
  response: Response,
): Promise<boolean> {
  if (fault.kind === "latency") {
    await wait(fault.ms);
    return false;
  }
  if (fault.kind === "hold") {
    // A client that gives up must not leave its request waiting here.
    const gone = new Promise<void>((resolve) => response.once("close", resolve));
    await Promise.race([released, gone]);
    return response.destroyed;
  }
  await sendFault(fault, request, response);
  return true;
}

type AnsweringFault = Exclude<Fault, { kind: "latency" | "hold" }>;

function sendFault(fault: AnsweringFault, request: Request, response: Response): unknown {
  switch (fault.kind) {
    case "status":
      return sendStatus(fault, request, response);
    case "disconnect":
      return response.destroy();
    case "aadsts":
      return sendLoginError(response, 400, "invalid_request", fault.code, "Refused on purpose.");
    case "opaque_token":
      return sendToken(response, "an-opaque-token");
    case "foreign_tid":
      return sendToken(response, new UnsecuredJWT({ tid: fault.tid, roles: [] }).encode());
    case "approval_required":
    case "unauthorized":
    case "token_quoted":
    case "foreign_next_link":
    case "looping_next_link":
    case "endless_next_links":
    case "empty_page":
    case "crowded_page":
      return sendGraphFault(fault.kind, request, response);
    case "html":
    case "bad_json":
    case "wrong_shape":
    case "error_in_200":
    case "stalled_body":
    case "endless_body":
      return sendGarbage(fault.kind, response);
  }
}

function sendStatus(
  fault: Extract<Fault, { kind: "status" }>,
  request: Request,
  response: Response,
): Response {
  if (fault.retryAfter !== undefined) response.set("retry-after", fault.retryAfter);
  if (fault.on === "token") {
    return sendLoginError(response, fault.status, "temporarily_unavailable", 90033, "A transient error.");
  }
  return sendGraphError(request, response, fault.status, `Status${fault.status}`, fault.message);
}

function sendGraphFault(kind: GraphFault, request: Request, response: Response): Response {
  switch (kind) {
    case "approval_required":
      response.set("x-msft-approval-code", "approval-needed");
      return sendGraphError(request, response, 403, "Forbidden", "A second administrator must approve.");
    case "unauthorized":
      return sendGraphError(request, response, 401, "InvalidAuthenticationToken", "The token was revoked.");
    case "token_quoted":
      return sendGraphError(request, response, 400, "BadRequest", `Sent: ${request.get("authorization")}`);
    case "foreign_next_link":
      return sendEmptyPage(response, `https://elsewhere.example${request.originalUrl}`);
    case "looping_next_link":
      return sendEmptyPage(response, `${originOf(request)}${request.originalUrl}`);
    case "endless_next_links":
      return sendEmptyPage(response, linkNeverSeen(request));
    case "empty_page":
      return response.json({ value: [] });
    case "crowded_page":
      return response.json({ value: Array.from({ length: 50_000 }, manyOfKind) });
  }
}

function sendGarbage(kind: Garbage, response: Response): unknown {
  switch (kind) {
    case "html":
      return response.type("html").send("<!doctype html><title>Sign in</title><p>Please accept the terms.");
    case "bad_json":
      return response.type("json").send('{"value": [{"id": "1", ');
    case "wrong_shape":
      return response.json({ value: { id: "1" } });
    case "error_in_200":
      return response.json({ error: { code: "UnknownError", message: "" } });
    case "stalled_body":
      return response.type("json").write('{"value": [');
    case "endless_body":
      // Ends, as an error, when the client has had enough and closes the connection.
      return pipeline(Readable.from(endlessSpaces()), response.type("json")).catch(() => undefined);
  }
}

function* endlessSpaces(): Generator<Buffer> {
  const chunk = Buffer.alloc(256 * 1024, " ");
  while (true) yield chunk;
}

function sendToken(response: Response, token: string): Response {
  return response.json({ token_type: "Bearer", expires_in: 3599, access_token: token });
}

function manyOfKind(_: unknown, index: number) {
  return {
    id: `${index}`,
    displayName: "One of many",
    "@odata.type": "#microsoft.graph.iosCompliancePolicy",
  };
}

/** To the same page under an address of its own each time. */
function linkNeverSeen(request: Request): string {
  const address = new URL(request.originalUrl, originOf(request));
  address.searchParams.set("turn", crypto.randomUUID());
  return address.href;
}

function sendEmptyPage(response: Response, nextLink: string): Response {
  return response.json({ value: [], "@odata.nextLink": nextLink });
}
