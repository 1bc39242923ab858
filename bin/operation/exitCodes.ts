import type { Outcome } from "../../server/domain/operations/run.ts";

/** What the process ends with; a contract with the scripts that call it. */
export const exitCodes = { done: 0, usage: 1, blocked: 2, failed: 3 } as const;

/** A run that is not awaited counts as done once it is queued. */
export function exitCodeOf(outcome: Outcome): number {
  switch (outcome) {
    case "pending":
    case "succeeded":
    case "partially_succeeded":
      return exitCodes.done;
    case "blocked":
      return exitCodes.blocked;
    case "failed":
    case "cancelled":
      return exitCodes.failed;
  }
}
