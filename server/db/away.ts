import { sqlStateOf } from "./retrying.ts";

/** Connection exceptions are class 08; the others: told to end, crashed beside us, not up yet, no connection left. */
const awayStates = new Set(["57P01", "57P02", "57P03", "53300"]);
const awayCodes = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"],
  ...["ENOTFOUND", "EAI_AGAIN"],
]);
/** What the driver and its pool say without any code. */
const awayMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/**
 * Whether a database error says that the server could not be reached, went away under way or has no connection
 * left, rather than that something is wrong with what was asked of it.
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = sqlStateOf(error);
  if (code === undefined) return awayMessages.test(error.message);
  return code.startsWith("08") || awayStates.has(code) || awayCodes.has(code);
}
