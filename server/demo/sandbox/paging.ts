import type { Request, Response } from "express";
import { z } from "zod";
import type { JsonValue } from "../../provider/port.ts";
import { originOf, sendGraphError } from "./answers.ts";

const defaultPageSize = 50;
const maxPageSize = 100;

const pageQuery = z.object({
  top: z.coerce.number().int().min(1).default(defaultPageSize),
  offset: z.coerce.number().int().min(0).default(0),
});

/** One page of `items`, with an absolute link to the next when there is more. `$top` counts up to 100. */
export function sendPage<Item>(
  request: Request,
  response: Response,
  items: Item[],
  show: (item: Item) => JsonValue,
): Response {
  const address = new URL(request.originalUrl, originOf(request));
  const skipToken = address.searchParams.get("$skiptoken");
  const query = pageQuery.safeParse({
    top: address.searchParams.get("$top") ?? undefined,
    offset: skipToken === null ? undefined : Buffer.from(skipToken, "base64url").toString(),
  });
  if (!query.success)
    return sendGraphError(request, response, 400, "BadRequest", "Invalid paging parameter.");
  const end = query.data.offset + Math.min(query.data.top, maxPageSize);
  const value = items.slice(query.data.offset, end).map(show);
  const more = end < items.length;
  if (more) address.searchParams.set("$skiptoken", Buffer.from(String(end)).toString("base64url"));
  return response.json(more ? { value, "@odata.nextLink": address.href } : { value });
}
