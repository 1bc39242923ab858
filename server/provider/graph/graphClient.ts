import type { ProviderCredential } from "../port.ts";
import { addressUnder } from "./addresses.ts";
import { type Answer, exchange } from "./exchange.ts";
import { errorFromGraph, malformedAnswer } from "./graphErrors.ts";
import { sendWithRetries } from "./retry.ts";
import { type Login, makeTokenSource, type TokenSource } from "./tokens.ts";

export type GraphClient = {
  tokens: TokenSource;
  /** The parsed JSON of a GET that succeeded. `address` is a whole URL of the configured origin. */
  getJson(address: string, signal: AbortSignal): Promise<unknown>;
  /** Whether the address answers 404; any other failure is thrown. */
  isAbsent(address: string, signal: AbortSignal): Promise<boolean>;
  /** The address of a path such as `/beta/deviceManagement`. */
  addressOf(path: string): string;
  /** The link itself, verbatim; `malformed_answer` unless it is an address of the configured origin. */
  requireOwnLink(link: string): string;
};

/** Authenticated, retried GETs to Graph for one credential. Errors are `ProviderError`s, or the signal's reason. */
export function makeGraphClient(credential: ProviderCredential, login: Login): GraphClient {
  const tokens = makeTokenSource(credential, login);

  const send = (address: string, token: string, signal: AbortSignal): Promise<Answer> => {
    const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
    const once = () => exchange(address, { method: "GET", headers }, login.timings.callMs, signal);
    return sendWithRetries(once, login.timings, signal);
  };

  async function get(address: string, signal: AbortSignal): Promise<Answer> {
    const token = await tokens.current(signal);
    const answer = await send(address, token, signal);
    if (answer.status !== 401) return answer;
    // A token may be revoked before it expires. One new token is the whole benefit of the doubt.
    tokens.discard(token);
    return send(address, await tokens.current(signal), signal);
  }

  return {
    tokens,
    async getJson(address, signal) {
      const answer = await get(address, signal);
      if (answer.status !== 200) throw errorFromGraph(answer);
      return parseJson(answer);
    },
    async isAbsent(address, signal) {
      const answer = await get(address, signal);
      if (answer.status !== 200 && answer.status !== 404) throw errorFromGraph(answer);
      return answer.status === 404;
    },
    addressOf: (path) => addressUnder(login.graph, path),
    requireOwnLink(link) {
      const url = URL.parse(link);
      // Following it anywhere else would hand the token to a stranger.
      if (url?.origin === login.graph.origin && url.username === "" && url.password === "") return link;
      throw malformedAnswer("A next link leads away from the configured address");
    },
  };
}

function parseJson(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    throw malformedAnswer("The answer is not JSON", answer);
  }
}
