import { z } from "zod";
import { mapConcurrently } from "./concurrency.ts";
import type { Answer } from "./exchange.ts";
import { type GraphClient, jsonOf } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";
import { backoff, isTransient, maxAttempts, pause, requestedWait } from "./retry.ts";

export type Version = "beta" | "v1.0";

type Item = { id: string; url: string };

const batchSize = 20;
const singlesAtOnce = 4;
const batchAnswer = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.int(),
      headers: z.record(z.string(), z.union([z.string(), z.number()])).nullish(),
      body: z.unknown(),
    }),
  ),
});

/**
 * The answers to GETs of these paths (relative to the version, e.g. `/groups/…`), in the same order, by as few
 * requests as there can be: `$batch` takes twenty. An answer may have any status; one that asks to wait is
 * asked for again, up to four times. Rejects when a batch as a whole is refused.
 */
export async function readInBatches(
  client: GraphClient,
  version: Version,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let start = 0; start < paths.length; start += batchSize) {
    answers.push(...(await readBatch(client, version, paths.slice(start, start + batchSize), signal)));
  }
  return answers;
}

async function readBatch(
  client: GraphClient,
  version: Version,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Answer[]> {
  const items = paths.map((url, index) => ({ id: String(index), url }));
  const answers = new Map<string, Answer>();
  let open = items;
  for (let attempt = 1; ; attempt++) {
    for (const [id, answer] of await sendBatch(client, version, open, signal)) answers.set(id, answer);
    const throttled = open.flatMap(({ id }) => answers.get(id) ?? []).filter(isTransient);
    if (throttled.length === 0 || attempt === maxAttempts) break;
    open = open.filter(({ id }) => throttled.some((answer) => answers.get(id) === answer));
    const waits = throttled.map((answer) => requestedWait(answer, client.timings) ?? 0);
    await pause(Math.max(...waits) || backoff(attempt, client.timings), signal);
  }
  return mapConcurrently(items, singlesAtOnce, signal, (item, shared) =>
    settled(client, version, item, answers.get(item.id), shared),
  );
}

async function sendBatch(
  client: GraphClient,
  version: Version,
  items: Item[],
  signal: AbortSignal,
): Promise<Map<string, Answer>> {
  const requests = items.map(({ id, url }) => ({ id, method: "GET", url }));
  const address = client.addressOf(`/${version}/$batch`);
  const whole = await client.query(address, JSON.stringify({ requests }), signal);
  const parsed = batchAnswer.safeParse(jsonOf(whole));
  if (!parsed.success) throw malformedAnswer("The answer is not that of a batch", whole);
  return new Map(
    parsed.data.responses.map(({ id, status, headers, body }) => {
      const text = body === undefined ? "" : JSON.stringify(body);
      return [id, { status, headers: readHeaders(headers ?? {}, whole), text }];
    }),
  );
}

async function settled(
  client: GraphClient,
  version: Version,
  { url }: Item,
  answer: Answer | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  if (answer === undefined) throw malformedAnswer("A batch was answered in part only");
  // The token held for the batch and not for what is in it: asking for that alone also renews the token.
  return answer.status === 401 ? client.get(client.addressOf(`/${version}${url}`), signal) : answer;
}

function readHeaders(headers: Record<string, string | number>, whole: Answer): Headers {
  try {
    return new Headers(
      Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
    );
  } catch {
    throw malformedAnswer("A batch was answered with headers that are none", whole);
  }
}
