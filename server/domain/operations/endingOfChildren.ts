import { denials, isReasonCode, precedenceOf } from "../authority/reasons.ts";
import type { Ending } from "./ending.ts";
import { capitalised, counted } from "./runWords.ts";

/** How the runs that one asked for ended, and how many it could not ask for. */
export type ChildTally = Partial<
  Record<"synced" | "synced_partly" | "blocked" | "failed" | "cancelled" | "left_out", number>
>;

/**
 * How a run ends whose children have all ended: as they did, when they all ended alike; in part, when some did
 * what they should. Of several reasons why they were blocked the first in precedence is its own. What was blocked
 * is never called failed.
 */
export function endingOfChildren(tally: ChildTally, reasons: readonly string[]): Ending {
  const { synced = 0, synced_partly = 0, blocked = 0, failed = 0, cancelled = 0, left_out = 0 } = tally;
  const done = synced + synced_partly;
  if (done + blocked + failed + cancelled + left_out === synced) return { outcome: "succeeded" };
  if (done > 0) return { outcome: "partially_succeeded", message: childrenInWords(tally) };
  if (failed > 0 || blocked + cancelled === 0)
    return { outcome: "failed", code: "nothing_done", message: childrenInWords(tally) };
  const [reasonCode] = reasons
    .filter((code) => isReasonCode(code))
    .sort((a, b) => precedenceOf(a) - precedenceOf(b));
  if (reasonCode === undefined) return { outcome: "cancelled", by: null };
  return { outcome: "blocked", reasonCode, denialClass: denials[reasonCode].denialClass };
}

/** "3 of 5 tenants were synced; 1 run was blocked; 1 tenant could not be included any more." No names. */
function childrenInWords(tally: ChildTally): string {
  const { synced = 0, synced_partly = 0, blocked = 0, failed = 0, cancelled = 0, left_out = 0 } = tally;
  const all = synced + synced_partly + blocked + failed + cancelled + left_out;
  const were = (count: number) => `${counted(count, "was", "were")}`;
  const parts = [
    `${synced} of ${counted(all, "tenant was", "tenants were")} synced`,
    ...(synced_partly > 0 ? [`${were(synced_partly)} synced in part`] : []),
    ...(blocked > 0 ? [`${were(blocked)} blocked by policy`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${were(cancelled)} cancelled`] : []),
    ...(left_out > 0 ? [leftOutWords(left_out)] : []),
  ];
  return `${capitalised(parts.join("; "))}.`;
}

function leftOutWords(leftOut: number): string {
  return `${counted(leftOut, "tenant", "tenants")} could not be included any more`;
}
