import type { ListedRun } from "./listedRun.ts";
import { counted } from "./runWords.ts";

export type Progress = { done: number; total: number | null; words: string };

type Worked = Pick<
  ListedRun,
  "status" | "isStuck" | "attempt" | "startedAt" | "progressDone" | "progressTotal"
>;

/** Sooner than this (milliseconds) a rate would be a guess. */
const soonest = 5_000;
const minute = 60_000;

/** How far a run is that is under way, how fast it goes and how long that takes; nothing for any other. */
export function progressOf(run: Worked, at: Date): Progress | null {
  if (run.status !== "running") return null;
  const { progressDone: done, progressTotal: total } = run;
  const perMinute = paceOf(run, at);
  const pace = perMinute === null ? [] : [rateWords(perMinute)];
  if (total === null || total === 0)
    return { done, total: null, words: [`${counted(done, "item", "items")} so far`, ...pace].join(" · ") };
  const share = `${Math.floor((done / total) * 100)} %`;
  const left = perMinute === null || done >= total ? [] : [leftWords((total - done) / perMinute)];
  const many = (items: number) => items.toLocaleString("en-GB");
  return {
    done,
    total,
    words: [`${many(done)} of ${many(total)} items`, share, ...pace, ...left].join(" · "),
  };
}

/**
 * Items a minute since it started. Not told of a later attempt, whose start nobody keeps beside the first one's, and
 * not while no sign of life says that it goes on.
 */
function paceOf({ attempt, startedAt, isStuck, progressDone }: Worked, at: Date): number | null {
  if (startedAt === null || attempt !== 1 || isStuck || progressDone === 0) return null;
  const took = +at - +startedAt;
  return took < soonest ? null : (progressDone * minute) / took;
}

function rateWords(perMinute: number): string {
  if (perMinute >= 1) return `${Math.round(perMinute).toLocaleString("en-GB")} a minute`;
  return `${Math.max(1, Math.round(perMinute * 60))} an hour`;
}

function leftWords(minutes: number): string {
  if (minutes < 1) return "less than a minute left";
  if (minutes < 90) return `about ${Math.round(minutes)} min left`;
  return `about ${Math.round(minutes / 60)} h left`;
}
