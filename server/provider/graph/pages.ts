import { z } from "zod";
import type { JsonObject } from "../port.ts";
import { readInBatches, type Version } from "./batch.ts";
import type { Answer } from "./exchange.ts";
import { type GraphClient, jsonOf } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";
import { isJsonObject } from "./json.ts";

const jsonObject = z.custom<JsonObject>(isJsonObject);
const pageEnvelope = z.object({ value: z.array(jsonObject), "@odata.nextLink": z.string().optional() });
const maxPages = 1_000;
// Five times what Graph gives at the most: for each, more may have to be asked for.
const maxPerPage = 5_000;
// Of one collection that is held as a whole, in characters: ten times the largest policy known.
const maxHeldLength = 8 * 1024 * 1024;

/**
 * The objects of one collection, a page at a time, following `@odata.nextLink` verbatim. Pages may be empty.
 * Rejects with `malformed_answer` on a page of the wrong shape or of more than 5,000 objects, a link to another
 * origin, a link seen before, or more than a thousand pages.
 */
export async function* readPages(
  client: GraphClient,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<JsonObject[]> {
  const address = client.addressOf(path);
  yield* followPages(client, address, await client.get(address, signal), signal);
}

/** The whole of one collection. Rejects like `readPages`, and when it is larger than 8 Mi characters. */
export async function readCollection(
  client: GraphClient,
  path: string,
  signal: AbortSignal,
): Promise<JsonObject[]> {
  const address = client.addressOf(path);
  return gather(followPages(client, address, await client.get(address, signal), signal, maxHeldLength));
}

/**
 * The whole of several collections, whose first pages are asked for together; null for one that is not there.
 * `paths` are relative to the version.
 */
export async function readCollections(
  client: GraphClient,
  version: Version,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<(JsonObject[] | null)[]> {
  const collections: (JsonObject[] | null)[] = [];
  const firsts = await readInBatches(client, version, paths, signal);
  for (const [index, first] of firsts.entries()) {
    const address = client.addressOf(`/${version}${paths[index]}`);
    const pages = followPages(client, address, first, signal, maxHeldLength);
    collections.push(first.status === 404 ? null : await gather(pages));
  }
  return collections;
}

async function* followPages(
  client: GraphClient,
  firstAddress: string,
  first: Answer,
  signal: AbortSignal,
  maxLength = Number.POSITIVE_INFINITY,
): AsyncGenerator<JsonObject[]> {
  const seen = new Set([firstAddress]);
  let answer = first;
  let length = 0;
  while (true) {
    const page = pageEnvelope.safeParse(jsonOf(answer));
    if (!page.success) throw malformedAnswer("The answer is not a page of objects", answer);
    if (page.data.value.length > maxPerPage)
      throw malformedAnswer(`A page holds more than ${maxPerPage} objects`, answer);
    length += answer.text.length;
    if (length > maxLength)
      throw malformedAnswer("A collection is too large to belong to one object", answer);
    yield page.data.value;
    const next = page.data["@odata.nextLink"];
    if (next === undefined) return;
    if (seen.has(next)) throw malformedAnswer("A next link leads back to a page already read");
    if (seen.size === maxPages) throw malformedAnswer(`The listing has more than ${maxPages} pages`);
    seen.add(client.requireOwnLink(next));
    answer = await client.get(next, signal);
  }
}

async function gather(pages: AsyncIterable<JsonObject[]>): Promise<JsonObject[]> {
  const all: JsonObject[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}
