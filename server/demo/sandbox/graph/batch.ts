import type { Request } from "express";
import { z } from "zod";
import type { JsonValue } from "../../../provider/port.ts";
import { type Answer, answered, originOf, type Refusal, refused } from "../answers.ts";
import { readJson } from "./call.ts";

const maxRequests = 20;

const batchBody = z.strictObject({
  requests: z.array(
    z.strictObject({
      id: z.string().min(1),
      method: z.enum(["GET", "POST", "PATCH", "PUT", "DELETE"]),
      url: z.string().startsWith("/"),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.json().optional(),
    }),
  ),
});

type Part = z.infer<typeof batchBody>["requests"][number];

/** Marks a request that the sandbox makes of itself, so that the log can tell it from a call of its own. */
export const batchHeader = "sandbox-in-batch";

/**
 * `$batch`: each request is made of the sandbox itself, over HTTP and with the same token, and so meets its
 * faults, permissions and log as any other. The answers come in another order than the requests.
 */
export async function answerBatch(request: Request, gone: AbortSignal): Promise<Answer | Refusal> {
  const asked = batchBody.safeParse(readJson(request.body));
  if (!asked.success) return refused("graph", 400, "BadRequest", "Invalid batch payload format.");
  const { requests } = asked.data;
  if (requests.length > maxRequests)
    return refused("graph", 400, "BadRequest", `Number of requests in the batch exceeds ${maxRequests}.`);
  if (new Set(requests.map(({ id }) => id)).size < requests.length)
    return refused("graph", 400, "BadRequest", "Every request of a batch needs an id of its own.");
  if (requests.some(({ url }) => url.startsWith("/$batch")))
    return refused("graph", 400, "BadRequest", "A batch cannot be in a batch.");
  const responses = await Promise.all(requests.map((part) => answerPart(request, part, gone)));
  return answered(200, { responses: responses.reverse() });
}

async function answerPart(request: Request, part: Part, gone: AbortSignal): Promise<JsonValue> {
  const version = request.path.split("/")[1] ?? "";
  try {
    const response = await fetch(`${originOf(request)}/${version}${part.url}`, {
      method: part.method,
      headers: {
        ...part.headers,
        authorization: request.get("authorization") ?? "",
        [batchHeader]: "true",
      },
      redirect: "manual",
      signal: gone,
      ...(part.body === undefined ? {} : { body: JSON.stringify(part.body) }),
    });
    const text = await response.text();
    const json = readJson(text);
    const headers: Record<string, string> = {};
    for (const name of [
      "content-type",
      "request-id",
      "client-request-id",
      "retry-after",
      "x-msft-approval-code",
    ]) {
      const value = response.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    // What is not JSON travels as text in base64, as at Graph.
    const body = json ?? Buffer.from(text).toString("base64");
    return { id: part.id, status: response.status, headers, ...(text === "" ? {} : { body }) };
  } catch {
    return {
      id: part.id,
      status: 504,
      headers: {},
      body: { error: { code: "GatewayTimeout", message: "" } },
    };
  }
}
