import { z } from "zod";

/** What a list is searched for; null for everything. Control characters, which no name has, are dropped. */
export const SearchText = z
  .string()
  .overwrite((text) => text.replaceAll(/\p{Cc}/gu, ""))
  .trim()
  .min(1)
  .max(200)
  .nullable()
  .catch(null);
