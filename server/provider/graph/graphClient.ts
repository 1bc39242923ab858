import type { CallTime, ProviderCredential } from "../port.ts";
import { addressUnder } from "./addresses.ts";
import { type Answer, exchange, type Outgoing } from "./exchange.ts";
import { errorFromGraph, malformedAnswer } from "./graphErrors.ts";
import { parseProviderJson } from "./json.ts";
import { sendWithRetries } from "./retry.ts";
import type { Timings } from "./timings.ts";
import { type Login, makeTokenSource, type TokenSource } from "./tokens.ts";

export type GraphClient = {
  tokens: TokenSource;
  timings: Timings;
  /** The answer to a GET, whatever its status. `address` is a whole URL of the configured origin. */
  get(address: string, signal: AbortSignal): Promise<Answer>;
  /** The answer to a POST that only reads, and so is repeated like a GET. */
  query(address: string, body: string, signal: AbortSignal): Promise<Answer>;
  /**
   * Sends once; again only with a new token after 401, which says that nothing was done; nothing once its time
   * is up. Any status. `trace` tells, whatever happens, whether a request has left that was not refused so.
   */
  sendOnce(address: string, outgoing: Outgoing, time: CallTime, trace: { sent: boolean }): Promise<Answer>;
  /** The address of a path such as `/beta/deviceManagement`. */
  addressOf(path: string): string;
  /** The link itself, verbatim; `malformed_answer` unless it is an address of the configured origin. */
  requireOwnLink(link: string): string;
};

const jsonBody = { "content-type": "application/json" };

type Send = (outgoing: Outgoing) => Promise<Answer>;

/** Authenticated calls to Graph for one credential. Errors are `ProviderError`s, or the signal's reason. */
export function makeGraphClient(credential: ProviderCredential, login: Login): GraphClient {
  const { timings } = login;
  const tokens = makeTokenSource(credential, login);

  async function authenticated(outgoing: Outgoing, signal: AbortSignal, send: Send): Promise<Answer> {
    const token = await tokens.current(signal);
    const answer = await send(withToken(outgoing, token));
    if (answer.status !== 401) return answer;
    // A token may be revoked before it expires. One new token is the whole benefit of the doubt.
    tokens.discard(token);
    return send(withToken(outgoing, await tokens.current(signal)));
  }

  const repeatedly = (address: string, outgoing: Outgoing, signal: AbortSignal): Promise<Answer> =>
    authenticated(outgoing, signal, (whole) =>
      sendWithRetries(() => exchange(address, whole, timings.callMs, signal), timings, signal),
    );

  return {
    tokens,
    timings,
    get: (address, signal) => repeatedly(address, { method: "GET", headers: {} }, signal),
    query: (address, body, signal) =>
      repeatedly(address, { method: "POST", headers: jsonBody, body }, signal),
    sendOnce: (address, outgoing, { signal, isUp }, trace) =>
      authenticated(outgoing, signal, async (whole) => {
        signal.throwIfAborted();
        if (isUp()) throw new Error("The time for the call is up.");
        trace.sent = true;
        const answer = await exchange(address, whole, timings.callMs, signal);
        trace.sent = answer.status !== 401;
        return answer;
      }),
    addressOf: (path) => addressUnder(login.graph, path),
    requireOwnLink(link) {
      const url = URL.parse(link);
      // Following it anywhere else would hand the token to a stranger.
      if (url?.origin === login.graph.origin && url.username === "" && url.password === "") return link;
      throw malformedAnswer("A next link leads away from the configured address");
    },
  };
}

/** The parsed JSON of an answer that must be a success; anything else is thrown as the error it stands for. */
export function jsonOf(answer: Answer): unknown {
  if (answer.status !== 200) throw errorFromGraph(answer);
  try {
    return parseProviderJson(answer.text);
  } catch {
    throw malformedAnswer("The answer is not JSON", answer);
  }
}

function withToken(outgoing: Outgoing, token: string): Outgoing {
  const headers = { accept: "application/json", ...outgoing.headers, authorization: `Bearer ${token}` };
  return { ...outgoing, headers };
}
