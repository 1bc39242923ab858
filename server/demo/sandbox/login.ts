import type { Request, Response } from "express";
import { z } from "zod";
import { originOf, sendLoginError } from "./answers.ts";
import { refuseAssertion } from "./assertions.ts";
import type { Directory } from "./directories.ts";
import type { SandboxState } from "./state.ts";

const common = {
  grant_type: z.literal("client_credentials"),
  client_id: z.string(),
  scope: z.string().endsWith("/.default"),
};
const tokenRequest = z.union([
  z.object({
    ...common,
    client_assertion_type: z.literal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    client_assertion: z.string(),
  }),
  z.object({ ...common, client_secret: z.string() }),
]);

/** The token endpoint: client credentials with a secret or a certificate, and Entra's refusals in its words. */
export async function answerTokenRequest(
  state: SandboxState,
  directoryId: string,
  request: Request,
  response: Response,
): Promise<unknown> {
  response.set("x-ms-request-id", crypto.randomUUID());
  const directory = state.directories.find(directoryId);
  if (directory === undefined) {
    return sendLoginError(response, 400, "invalid_request", 90002, `Tenant '${directoryId}' not found.`);
  }
  if (await directory.faults.intercept({ on: "token", after: false }, request, response)) return;
  const asked = tokenRequest.safeParse(request.body);
  if (!asked.success) {
    return sendLoginError(response, 400, "invalid_request", 900144, "The request body lacks a parameter.");
  }
  return answerApp(state, directory, asked.data, request, response);
}

async function answerApp(
  state: SandboxState,
  directory: Directory,
  asked: z.infer<typeof tokenRequest>,
  request: Request,
  response: Response,
): Promise<unknown> {
  const app = directory.apps.get(asked.client_id);
  if (app === undefined) {
    const text = `Application '${asked.client_id}' was not found in the directory '${directory.displayName}'.`;
    return sendLoginError(response, 400, "unauthorized_client", 700016, text);
  }
  if ("client_assertion" in asked) {
    const endpoint = `${originOf(request)}${request.path}`;
    const reason = await refuseAssertion(app, asked.client_assertion, endpoint);
    if (reason !== null) return sendLoginError(response, 401, "invalid_client", 700027, reason);
  } else if (app.secret !== asked.client_secret) {
    return sendLoginError(response, 401, "invalid_client", 7000215, "Invalid client secret provided.");
  } else if (app.secretState === "expired") {
    return sendLoginError(response, 401, "invalid_client", 7000222, "The client secret keys are expired.");
  }
  const audience = asked.scope.slice(0, -"/.default".length);
  const token = await state.tokenDesk.issue(directory, app, audience);
  const seconds = directory.tokenSeconds;
  return response.json({
    token_type: "Bearer",
    expires_in: seconds,
    ext_expires_in: seconds,
    access_token: token,
  });
}
