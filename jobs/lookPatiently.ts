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

/** How often what was looked at patiently may turn out otherwise, before that is no longer put down to lagging copies. */
const mostDisappointments = 3;

export type Look = typeof lookPatiently;

/** Looks patiently, but not at every one of thousands of items that a directory never shows as they were written. */
export function makePatience(): Look {
  let disappointments = 0;
  return async (look, isExpected, signal) => {
    const isPatient = disappointments < mostDisappointments;
    const seen = await (isPatient ? lookPatiently(look, isExpected, signal) : look());
    disappointments = isExpected(seen) ? 0 : disappointments + 1;
    return seen;
  };
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
