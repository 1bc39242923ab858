import type { DenialClass, ReasonCode } from "../authority/reasons.ts";

/** How a run ended. `message` is shown to people: sanitized, without secrets or personal data. */
export type Ending =
  | { outcome: "succeeded" }
  | { outcome: "partially_succeeded"; message: string }
  | { outcome: "blocked"; reasonCode: ReasonCode; denialClass: DenialClass }
  /** `by` is the name of who asked for it. */
  | { outcome: "cancelled"; by: string | null }
  | { outcome: "failed"; code: FailureCode; message: string };

export type FailureCode =
  | "provider_unavailable"
  | "provider_refused"
  | "verification_failed"
  | "internal_error"
  | "authority_undecided"
  | "worker_lost"
  /** It reached its end, and none of its parts did what it should. */
  | "nothing_done";
