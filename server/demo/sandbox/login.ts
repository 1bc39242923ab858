import type { Request, Response } from "express";
import { z } from "zod";
import { sendLoginError } from "./answers.ts";
import type { Directory } from "./directories.ts";
import type { SandboxState } from "./state.ts";

const tokenRequest = z.object({
  grant_type: z.literal("client_credentials"),
  client_id: z.string(),
  client_secret: z.string(),
  scope: z.string().endsWith("/.default"),
});

/** The token endpoint: client credentials with a secret, and Entra's refusals in Entra's words. */
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
  if (await directory.faults.intercept("token", request, response)) return;
  const asked = tokenRequest.safeParse(request.body);
  if (!asked.success) {
    return sendLoginError(response, 400, "invalid_request", 900144, "The request body lacks a parameter.");
  }
  return answerApp(state, directory, asked.data, response);
}

async function answerApp(
  state: SandboxState,
  directory: Directory,
  asked: z.infer<typeof tokenRequest>,
  response: Response,
): Promise<unknown> {
  const app = directory.apps.get(asked.client_id);
  if (app === undefined) {
    const text = `Application '${asked.client_id}' was not found in the directory '${directory.displayName}'.`;
    return sendLoginError(response, 400, "unauthorized_client", 700016, text);
  }
  if (app.secret !== asked.client_secret) {
    return sendLoginError(response, 401, "invalid_client", 7000215, "Invalid client secret provided.");
  }
  if (app.secretState === "expired") {
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
