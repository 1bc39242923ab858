/** How long things may take, in milliseconds; tests shrink them. */
export type Timings = {
  /** One call, its body included. */
  callMs: number;
  /** Upper bound of the first wait between attempts when the provider names none; it doubles each time. */
  backoffMs: number;
  /** A provider that asks for a longer wait than this gets this one. */
  retryAfterCapMs: number;
  /** The length of the second in which `Retry-After` counts. */
  secondMs: number;
};

export const defaultTimings: Timings = {
  callMs: 30_000,
  backoffMs: 500,
  retryAfterCapMs: 120_000,
  secondMs: 1_000,
};
