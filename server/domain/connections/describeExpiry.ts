import { type Badge, counted } from "../operations/runWords.ts";

/** How soon before its end (days) a credential is warned about. */
const warnedBefore = 30;

const day = 86_400_000;

/** What is to be said of a credential's end: a badge for lists, and what to do. Null while it is far off or unknown. */
export type Expiry = { badge: Badge; words: string };

export function describeExpiry(expiresAt: Date | null, now: Date): Expiry | null {
  const left = (expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) - now.getTime();
  if (left <= 0)
    return {
      badge: { tone: "fail", icon: "failed", label: "Credential expired" },
      words: "What needs it fails until a new one is entered and verified.",
    };
  const days = Math.floor(left / day);
  if (days > warnedBefore) return null;
  const when = days === 0 ? "within a day" : `in ${counted(days, "day", "days")}`;
  return {
    badge: { tone: "part", icon: "warning", label: `Credential expires ${when}` },
    words: "Enter a new one and verify it before.",
  };
}
