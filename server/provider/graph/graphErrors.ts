import { z } from "zod";
import { ProviderError, type ProviderErrorCode } from "../port.ts";
import type { Answer } from "./exchange.ts";

const innerError = z.looseObject({ message: z.string().optional(), "request-id": z.string().optional() });
const errorBody = z.object({
  error: z.looseObject({
    code: z.string().optional(),
    message: z.string().optional(),
    innerError: innerError.optional(),
    innererror: innerError.optional(),
  }),
});
// Intune hides its real message as a JSON text inside the message, sometimes more than once.
const nestedMessage = z.union([
  z.object({ Message: z.string() }).transform((nested) => nested.Message),
  z.object({ message: z.string() }).transform((nested) => nested.message),
]);
const maxNesting = 4;
const maxMessageLength = 400;
// What comes after so many characters is not looked at: cleaning must cost nothing to speak of.
const maxCleanedLength = 4_000;
const supportId = /^[\w.:-]{1,100}$/;

/** What a failed write may have done, and when the provider asks to be tried again. */
export type WriteOutcome = { mayHaveHappened: boolean; retryAfterMs: number | null };

/** The error that a Graph answer with a status other than success stands for. */
export function errorFromGraph(answer: Answer, outcome?: WriteOutcome): ProviderError {
  const body = errorBody.safeParse(parseOrNull(answer.text));
  const told = body.success ? body.data.error : {};
  const inner = told.innerError ?? told.innererror;
  const message = cleanMessage(told.message || inner?.message || "");
  return new ProviderError(codeFor(answer), message || `The provider answered ${answer.status}`, {
    detail: told.code ? cleanMessage(told.code) : `HTTP ${answer.status}`,
    requestId: requestIdOf(answer.headers.get("request-id"), inner?.["request-id"]),
    ...outcome,
  });
}

/** The first that looks like an id for the provider's support; anything else could be anything. */
export function requestIdOf(...given: (string | null | undefined)[]): string | null {
  return given.find((id) => typeof id === "string" && supportId.test(id)) ?? null;
}

/** An answer that breaks the contract, in `reason`'s words; the body itself is never quoted. */
export function malformedAnswer(reason: string, answer?: Answer, outcome?: WriteOutcome): ProviderError {
  return new ProviderError("malformed_answer", reason, {
    requestId: requestIdOf(answer?.headers.get("request-id")),
    ...outcome,
  });
}

function codeFor({ status, headers }: Answer): ProviderErrorCode {
  // A fresh token was tried before this is asked: the directory does not accept us.
  if (status === 401) return "credential_rejected";
  if (status === 403) return asksForApproval(headers) ? "approval_required" : "permission_missing";
  if (status === 429 || status >= 500) return "unavailable";
  return status >= 400 ? "rejected" : "malformed_answer";
}

function asksForApproval(headers: Headers): boolean {
  return [...headers.keys()].some((name) => name.startsWith("x-msft-approval-"));
}

/** The innermost message, without internal addresses and anything shaped like a token, on one short line. */
function cleanMessage(message: string): string {
  return (
    unwrap(message)
      .slice(0, maxCleanedLength)
      // First: the patterns after it would try every way to share out a long run of spaces.
      .replace(/\s+/g, " ")
      .replace(/ ?-? ?Url: ?\S+/gi, "")
      .replace(/https?:\/\/\S+/gi, "(address removed)")
      .replace(/\beyJ[\w-]+(\.[\w-]*)*/g, "(token removed)")
      .trim()
      .slice(0, maxMessageLength)
  );
}

function unwrap(message: string): string {
  let innermost = message;
  for (let depth = 0; depth < maxNesting && innermost.trimStart().startsWith("{"); depth++) {
    const nested = nestedMessage.safeParse(parseOrNull(innermost));
    // JSON that hides no message is a body, not a sentence: better nothing than that.
    if (!nested.success) return "";
    innermost = nested.data;
  }
  return innermost;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
