import { sqlStateOf } from "./db/retrying.ts";

/**
 * What may be logged of an error. PostgreSQL's `detail`, `where` and parameters quote rows, and its messages
 * about malformed data (class 22) quote values: they stay out, because logs hold no personal data.
 */
export function errorForLog(thrown: unknown): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { type: typeof thrown };
  const quotesData = sqlStateOf(thrown)?.startsWith("22") === true;
  return {
    type: thrown.name,
    message: quotesData ? "malformed data" : thrown.message,
    at: thrown.stack?.split("\n").filter((line) => /^\s+at /.test(line)),
    code: sqlStateOf(thrown),
    ...pick(thrown, "constraint"),
    ...pick(thrown, "table"),
    ...pick(thrown, "routine"),
  };
}

function pick(error: Error, name: "constraint" | "table" | "routine"): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(error).filter(([key, value]) => key === name && value !== undefined),
  );
}
