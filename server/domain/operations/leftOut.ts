import { z } from "zod";
import { counted } from "./runWords.ts";

const withLeftOut = z.object({ leftOut: z.int().positive() });

/** What a schedule for all tenants left out when it asked for a run, a count without names; null for nothing. */
export function leftOutOf(target: unknown): string | null {
  const leftOut = withLeftOut.safeParse(target).data?.leftOut;
  if (leftOut === undefined) return null;
  const tenants = counted(leftOut, "tenant was", "tenants were");
  return `When it was asked for, ${tenants} left out: not active, or without a verified connection.`;
}
