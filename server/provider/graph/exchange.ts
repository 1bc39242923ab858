import { z } from "zod";
import { ProviderError } from "../port.ts";
import { requestIdOf } from "./graphErrors.ts";

/** What came back, read to its end. Any status: judging it is the caller's business. */
export type Answer = { status: number; headers: Headers; text: string };

export type Outgoing = {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  headers: Record<string, string>;
  body?: URLSearchParams | string;
};

const networkError = z.object({ cause: z.object({ code: z.string() }) });
const bodyCapBytes = 16 * 1024 * 1024;

/**
 * One HTTP call, from connecting to the last byte of the body, within `timeoutMs`. Rejects with the caller's
 * own reason when `signal` aborts; with `ProviderError` `unavailable` on a network error or time-out, and
 * `malformed_answer` when the body exceeds 16 MiB. Redirects are not followed: they would carry a token along.
 * Without a `client-request-id` of its own the call gets one.
 */
export async function exchange(
  url: string,
  outgoing: Outgoing,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      ...outgoing,
      headers: { "client-request-id": crypto.randomUUID(), ...outgoing.headers },
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout]),
    });
    return { status: response.status, headers: response.headers, text: await readBody(response) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ProviderError) throw error;
    if (timeout.aborted) throw new ProviderError("unavailable", `No whole answer within ${timeoutMs} ms`);
    // The original is left out: what a network error quotes is not ours to vouch for.
    throw new ProviderError("unavailable", "The provider could not be reached", {
      detail: networkCode(error),
    });
  }
}

async function readBody(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    // Throwing inside the loop cancels the stream, which closes the connection.
    if (size > bodyCapBytes) {
      throw new ProviderError("malformed_answer", `The answer is larger than ${bodyCapBytes} bytes`, {
        requestId: requestIdOf(response.headers.get("request-id")),
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function networkCode(error: unknown): string | null {
  return networkError.safeParse(error).data?.cause.code ?? null;
}
