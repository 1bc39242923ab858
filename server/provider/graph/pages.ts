import { z } from "zod";
import type { JsonObject } from "../port.ts";
import type { GraphClient } from "./graphClient.ts";
import { malformedAnswer } from "./graphErrors.ts";

// What JSON.parse made is JSON all the way down; only the outermost kind needs checking.
const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
);
const pageEnvelope = z.object({ value: z.array(jsonObject), "@odata.nextLink": z.string().optional() });
const maxPages = 1_000;

/**
 * The objects of one collection, a page at a time, following `@odata.nextLink` verbatim. Pages may be empty.
 * Rejects with `malformed_answer` on a page of the wrong shape, a link to another origin, a link seen before,
 * or more than a thousand pages.
 */
export async function* readPages(
  client: GraphClient,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<JsonObject[]> {
  const seen = new Set<string>();
  let address: string | undefined = client.addressOf(path);
  while (address !== undefined) {
    if (seen.has(address)) throw malformedAnswer("A next link leads back to a page already read");
    if (seen.size === maxPages) throw malformedAnswer(`The listing has more than ${maxPages} pages`);
    seen.add(address);
    const page = pageEnvelope.safeParse(await client.getJson(address, signal));
    if (!page.success) throw malformedAnswer("The answer is not a page of objects");
    yield page.data.value;
    const next: string | undefined = page.data["@odata.nextLink"];
    address = next === undefined ? undefined : client.requireOwnLink(next);
  }
}
