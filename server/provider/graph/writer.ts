import { z } from "zod";
import { type CallTime, type PolicyWrite, ProviderError, type ProviderWriter } from "../port.ts";
import type { Answer, Outgoing } from "./exchange.ts";
import type { GraphClient } from "./graphClient.ts";
import { errorFromGraph, malformedAnswer } from "./graphErrors.ts";
import { isJsonObject, parseProviderJson } from "./json.ts";
import { requestedWait } from "./retry.ts";
import { writeRequest } from "./writeRequest.ts";

const accepted = new Set([200, 201, 204]);
const created = z.object({ id: z.string().min(1) });
// Network errors from before a connection stood: nothing can have been sent.
const neverConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** The writing half of the port: each call one request, never repeated, with the truth about what it may have done. */
export function makeWriter(client: GraphClient): ProviderWriter {
  return {
    async write(write, idempotencyKey, time) {
      const { address, outgoing } = writeRequest(client, write, idempotencyKey);
      const answer = await sendTruthfully(client, address, outgoing, time);
      return { id: readOutcome(write, answer, client) };
    },
  };
}

/** Any failure as a `ProviderError` that says whether the request may have arrived. */
async function sendTruthfully(
  client: GraphClient,
  address: string,
  outgoing: Outgoing,
  time: CallTime,
): Promise<Answer> {
  const trace = { sent: false };
  try {
    return await client.sendOnce(address, outgoing, time, trace);
  } catch (error) {
    const { sent } = trace;
    if (!(error instanceof ProviderError)) {
      const message = sent
        ? "The call was ended before its answer came"
        : "The call was ended before it was sent";
      throw new ProviderError("unavailable", message, { detail: "aborted", mayHaveHappened: sent });
    }
    const { code, message, detail, requestId } = error;
    const mayHaveHappened = sent && !neverConnected.has(detail ?? "");
    throw new ProviderError(code, message, { detail, requestId, mayHaveHappened });
  }
}

/** The id of the object written; throws the error that any other answer stands for. */
function readOutcome(write: PolicyWrite, answer: Answer, { timings }: GraphClient): string {
  const { status } = answer;
  if (!accepted.has(status)) {
    // Refused with a 4xx, throttled included, is not done; after anything else nobody can know.
    const mayHaveHappened = status < 400 || status >= 500 || status === 408;
    throw errorFromGraph(answer, { mayHaveHappened, retryAfterMs: requestedWait(answer, timings) });
  }
  const body = readBody(answer);
  if (isJsonObject(body) && "error" in body) throw unclear("The answer says both success and error", answer);
  if (write.action !== "create") return write.id ?? "";
  const object = created.safeParse(body);
  if (!object.success) throw unclear("The answer does not name what was created", answer);
  return object.data.id;
}

function readBody(answer: Answer): unknown {
  // Many actions answer without a body, also with status 200.
  if (answer.text.trim() === "") return null;
  try {
    return parseProviderJson(answer.text);
  } catch {
    throw unclear("The answer is not JSON", answer);
  }
}

/** The provider says that it was done, in an answer that cannot be trusted. */
function unclear(reason: string, answer: Answer): ProviderError {
  return malformedAnswer(reason, answer, { mayHaveHappened: true, retryAfterMs: null });
}
