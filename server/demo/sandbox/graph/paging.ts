import { z } from "zod";
import type { JsonValue } from "../../../provider/port.ts";
import { type Answer, answered, type Refusal, refused } from "../answers.ts";

const defaultPageSize = 50;
const maxPageSize = 100;

const pageQuery = z.object({
  top: z.coerce.number().int().min(1).default(defaultPageSize),
  offset: z.coerce.number().int().min(0).default(0),
});

/** One page of `items`, with an absolute link to the next when there is more. `$top` counts up to 100. */
export function pageOf<Item>(asked: URL, items: Item[], show: (item: Item) => JsonValue): Answer | Refusal {
  const address = new URL(asked);
  const skipToken = address.searchParams.get("$skiptoken");
  const query = pageQuery.safeParse({
    top: address.searchParams.get("$top") ?? undefined,
    offset: skipToken === null ? undefined : Buffer.from(skipToken, "base64url").toString(),
  });
  if (!query.success) return refused("graph", 400, "BadRequest", "Invalid paging parameter.");
  const end = query.data.offset + Math.min(query.data.top, maxPageSize);
  const value = items.slice(query.data.offset, end).map(show);
  if (end >= items.length) return answered(200, { value });
  address.searchParams.set("$skiptoken", Buffer.from(String(end)).toString("base64url"));
  return answered(200, { value, "@odata.nextLink": address.href });
}
