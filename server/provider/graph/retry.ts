import { setTimeout as wait } from "node:timers/promises";
import { ProviderError } from "../port.ts";
import type { Answer } from "./exchange.ts";
import type { Timings } from "./timings.ts";

export const maxAttempts = 4;
const backoffCapMs = 20_000;
const retriedStatuses = new Set([429, 502, 503, 504]);

/**
 * Sends until the answer is one that another attempt would not better, at most four times, and gives the last
 * answer whatever its status. Only for calls that are safe to repeat. Waits as `Retry-After` says, else with
 * exponential backoff and jitter. Rejects with the last attempt's error, or the signal's reason at once.
 */
export async function sendWithRetries(
  send: () => Promise<Answer>,
  timings: Timings,
  signal: AbortSignal,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const result = await attemptOnce(send);
    const last = attempt === maxAttempts;
    if (result instanceof ProviderError) {
      if (last || result.code !== "unavailable") throw result;
      await pause(backoff(attempt, timings), signal);
      continue;
    }
    if (last || !isTransient(result)) return result;
    await pause(requestedWait(result, timings) ?? backoff(attempt, timings), signal);
  }
}

/** Whether the same call may well be answered otherwise in a while. */
export function isTransient(answer: Answer): boolean {
  return retriedStatuses.has(answer.status);
}

/** Milliseconds the provider asked for (capped), or null when it asked for nothing that can be read. */
export function requestedWait(answer: Answer, timings: Timings): number | null {
  const value = answer.headers.get("retry-after")?.trim();
  if (value === undefined || value === "") return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  if (Number.isNaN(seconds)) return null;
  return Math.min(Math.max(seconds, 0) * timings.secondMs, timings.retryAfterCapMs);
}

/**
 * Milliseconds to wait after this attempt (counted from 1) when the provider named none; random, but no less than
 * half the most: together more than the second in which Conditional Access takes one request.
 */
export function backoff(attempt: number, timings: Timings): number {
  const most = Math.min(timings.backoffMs * 2 ** (attempt - 1), backoffCapMs);
  return most / 2 + (Math.random() * most) / 2;
}

/** Rejects with the signal's reason as soon as it aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    // The timer rejects with an error of its own; the caller is owed the reason it gave.
    signal.throwIfAborted();
    throw error;
  }
}

async function attemptOnce(send: () => Promise<Answer>): Promise<Answer | ProviderError> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof ProviderError) return error;
    throw error;
  }
}
