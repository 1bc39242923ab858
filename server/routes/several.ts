import { z } from "zod";

/** A field that a form or an address may give several times, or not at all. */
export const Several = z
  .union([z.string().transform((one) => [one]), z.array(z.string()).max(1000)])
  .default([]);
