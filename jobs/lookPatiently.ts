import { setTimeout as wait } from "node:timers/promises";

/** Milliseconds before each further look. */
const pauses = [250, 750, 2_000];

/**
 * What `look` sees, looked at again for a while as long as it is not what was expected: directories answer from
 * copies that lag behind what was just written. Gives what was seen last, expected or not. Rejects with what `look`
 * rejects with, or with the signal's reason.
 */
export async function lookPatiently<Seen>(
  look: () => Promise<Seen>,
  isExpected: (seen: Seen) => boolean,
  signal?: AbortSignal,
): Promise<Seen> {
  for (const pause of pauses) {
    const seen = await look();
    if (isExpected(seen)) return seen;
    await (signal === undefined ? wait(pause) : waitUnless(signal, pause));
  }
  return look();
}

/** Rejects with the signal's reason as soon as it aborts: the timer's own error says nothing of why. */
export async function waitUnless(signal: AbortSignal, ms: number): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
