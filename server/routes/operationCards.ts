import { type Attention, countLimit, riskLimit } from "../domain/operations/attention.ts";
import { isSameState } from "./operationFilters.ts";
import { type ListQuery, listAddress, runFiltersOff } from "./operationQuery.ts";

/** What needs a person: a number that leads to the runs it counts. */
export type Card = {
  count: string;
  label: string;
  words: string;
  icon: string;
  tone: string;
  href: string;
  isCurrent: boolean;
  isNone: boolean;
};

/** `standing`: kinds of blocked runs that nobody has dealt with. */
export function cardsFor(
  query: ListQuery,
  counts: Attention,
  { standing, atRisk }: { standing: number; atRisk: number },
): Card[] {
  const card = (
    count: number,
    state: Partial<ListQuery>,
    look: Pick<Card, "label" | "words" | "icon" | "tone">,
  ) => ({
    ...look,
    count: bounded(count),
    isNone: count === 0,
    href: listAddress(query, { status: null, outcome: null, attention: null, since: null, ...state }),
    isCurrent: isSameState(query, state),
  });
  const workers = counts.hasWorker ? "workers are alive" : "no worker is running";
  return [
    card(
      standing,
      { ...runFiltersOff, attention: "blocked" },
      { label: "Blocked by policy", words: "not dealt with yet", icon: "blocked", tone: "block" },
    ),
    card(
      counts.failed,
      { outcome: "failed", since: "7d" },
      { label: "Failed", words: "in the last 7 days", icon: "failed", tone: "fail" },
    ),
    card(
      atRisk,
      { attention: "at_risk" },
      { label: "At risk", words: riskWords(counts), icon: "warning", tone: "part" },
    ),
    card(
      counts.stuck,
      { attention: "stuck" },
      { label: "Likely stuck", words: workers, icon: "queued", tone: "run" },
    ),
  ];
}

/** Only so many waiting runs are asked about on every look. */
function riskWords({ queued }: Attention): string {
  return queued > riskLimit
    ? `would be blocked now, of the newest ${riskLimit} waiting`
    : "would be blocked now";
}

export function bounded(count: number): string {
  return count > countLimit ? `${countLimit.toLocaleString("en-GB")}+` : count.toLocaleString("en-GB");
}
