import { z } from "zod";

/** An id in an address or a form. The guard has answered malformed ones before a handler parses. */
export const Id = z.guid().toLowerCase();

export function isId(value: unknown): value is string {
  return Id.safeParse(value).success;
}
