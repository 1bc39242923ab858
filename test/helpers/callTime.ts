import type { CallTime } from "../../server/provider/port.ts";

/** For writing calls that nothing cuts off. */
export const anyTime: CallTime = { signal: new AbortController().signal, isUp: () => false };

/** For writing calls that may be on the wire for so long (milliseconds), by the signal alone. */
export function within(ms: number): CallTime {
  return { signal: AbortSignal.timeout(ms), isUp: () => false };
}
