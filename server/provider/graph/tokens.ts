import * as oauth from "oauth4webapi";
import { z } from "zod";
import { type GrantedAccess, type ProviderCredential, ProviderError } from "../port.ts";
import { addressUnder, isLoopback } from "./addresses.ts";
import { exchange } from "./exchange.ts";
import { malformedAnswer } from "./graphErrors.ts";
import { proveIdentity } from "./proof.ts";
import { sendWithRetries } from "./retry.ts";
import type { Timings } from "./timings.ts";
import { errorFromLogin } from "./tokenErrors.ts";

/** Whom to ask for tokens and for what; `graph` names the resource the token is for. */
export type Login = { login: URL; graph: URL; timings: Timings };

export type TokenSource = {
  /** Asks for a new token and says what it grants, whichever directory that turns out to be. */
  readGrantedAccess(signal: AbortSignal): Promise<GrantedAccess>;
  /** A token for the credential's own directory, kept until shortly before it expires. */
  current(signal: AbortSignal): Promise<string>;
  /** Forgets a token that was refused, unless a newer one has taken its place. */
  discard(token: string): void;
};

type Token = GrantedAccess & { value: string; renewAt: number };

const claimsOfInterest = z.object({ tid: z.string(), roles: z.array(z.string()).default([]) });
const renewalMarginMs = 5 * 60_000;

/** The tokens of one credential, by client credentials. Nothing is asked for until a token is needed. */
export function makeTokenSource(credential: ProviderCredential, login: Login): TokenSource {
  let cached: Token | undefined;
  let asking: { signal: AbortSignal; token: Promise<Token> } | undefined;

  // Calls made together share one request; calls under another signal must not share its abortion.
  async function ask(signal: AbortSignal): Promise<Token> {
    if (asking?.signal === signal) return asking.token;
    const mine = { signal, token: requestToken(credential, login, signal) };
    asking = mine;
    try {
      return await mine.token;
    } finally {
      if (asking === mine) asking = undefined;
    }
  }

  return {
    async readGrantedAccess(signal) {
      const { directoryId, roles } = await requestToken(credential, login, signal);
      return { directoryId, roles };
    },
    async current(signal) {
      if (cached === undefined || Date.now() >= cached.renewAt) cached = await ask(signal).catch(asLack);
      requireOwnDirectory(cached, credential);
      return cached.value;
    },
    discard(token) {
      if (cached?.value === token) cached = undefined;
    },
  };
}

/** Garbage for a token, or a refusal of no known meaning, says nothing about what the token was for. */
function asLack(error: unknown): never {
  if (!(error instanceof ProviderError)) throw error;
  const { code, message, detail, requestId } = error;
  if (code !== "rejected" && code !== "malformed_answer") throw error;
  throw new ProviderError("unavailable", message, { detail, requestId });
}

function requireOwnDirectory(token: Token, credential: ProviderCredential): void {
  if (token.directoryId.toLowerCase() === credential.directoryId.toLowerCase()) return;
  throw new ProviderError("credential_rejected", "The token was issued for another directory", {
    detail: "wrong_tid",
  });
}

async function requestToken(
  credential: ProviderCredential,
  { login, graph, timings }: Login,
  signal: AbortSignal,
): Promise<Token> {
  const server = {
    issuer: login.origin,
    token_endpoint: addressUnder(login, `/${encodeURIComponent(credential.directoryId)}/oauth2/v2.0/token`),
  };
  const client = { client_id: credential.clientId };
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    await proveIdentity(credential.proof, server.token_endpoint),
    { scope: `${graph.origin}/.default` },
    {
      [oauth.allowInsecureRequests]: isLoopback(login),
      [oauth.customFetch]: (url, { headers, body }) => post(url, headers, body, timings, signal),
    },
  );
  if (response.status !== 200) throw await errorFromLogin(response);
  return readToken(server, client, response);
}

/** The library's fetch: bounded, retried, and handed back as a response whose body is already here. */
async function post(
  url: string,
  headers: Record<string, string>,
  body: URLSearchParams,
  timings: Timings,
  signal: AbortSignal,
): Promise<Response> {
  const send = () => exchange(url, { method: "POST", headers, body }, timings.callMs, signal);
  const answer = await sendWithRetries(send, timings, signal);
  return new Response(answer.text === "" ? null : answer.text, {
    status: answer.status,
    headers: answer.headers,
  });
}

async function readToken(
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  response: Response,
): Promise<Token> {
  const grant = await oauth.processClientCredentialsResponse(server, client, response).catch(() => {
    // The library's error quotes the body, which may hold a token: it must not travel on as a cause.
    throw malformedAnswer("The token endpoint's answer is not a token");
  });
  const { tid, roles } = readClaims(grant.access_token);
  const lifetimeMs = (grant.expires_in ?? 0) * 1000;
  const renewAt = Date.now() + lifetimeMs - Math.min(renewalMarginMs, lifetimeMs / 10);
  return { value: grant.access_token, directoryId: tid, roles, renewAt };
}

// Read, not verified: the token came straight from its issuer, and whether it holds is Graph's to say.
function readClaims(token: string): z.infer<typeof claimsOfInterest> {
  const [, payload, signature] = token.split(".");
  if (payload === undefined || signature === undefined)
    throw malformedAnswer("The access token is not a JWT");
  try {
    return claimsOfInterest.parse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
  } catch {
    throw malformedAnswer("The access token's claims cannot be read");
  }
}
