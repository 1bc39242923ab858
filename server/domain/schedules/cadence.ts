import { Cron, type CronOptions } from "croner";
import { Invalid } from "../errors.ts";

/** When something repeats: five cron fields, read in a time zone. */
export type Cadence = { cron: string; timeZone: string };

/** The least time (minutes) between two runs of a schedule. */
export const shortestInterval = 5;

/** How many times ahead are looked at to find two that are too close. */
const lookahead = 200;

/**
 * The cadence as it is kept: single spaces, upper-case names. Throws `Invalid` for the field that is wrong: an
 * expression that cannot be read, never comes true or comes true too often, or a time zone there is none of.
 */
export function parseCadence(sent: Cadence): Cadence {
  const cadence = {
    cron: sent.cron.trim().replace(/\s+/g, " ").toUpperCase(),
    timeZone: sent.timeZone.trim(),
  };
  const problems = {
    ...whenSaid("cron", cronProblem(cadence.cron)),
    ...whenSaid("time_zone", zoneProblem(cadence.timeZone)),
  };
  if (Object.keys(problems).length > 0) throw new Invalid(problems);
  return cadence;
}

/** The next times after a moment, soonest first: `count` of them, or fewer when they run out. */
export function nextTimes({ cron, timeZone }: Cadence, after: Date, count: number): Date[] {
  // Nothing is started by it: it only does the arithmetic, daylight saving included.
  const options: CronOptions = {
    timezone: timeZone,
    paused: true,
    mode: "5-part",
    // A time of day that comes twice in a night counts once, also in a list of hours.
    fixedTimeRule: "no-wildcard",
  };
  return new Cron(cron, options).nextRuns(count, after);
}

/** Null when there is none any more, or when this release cannot read what an earlier one kept. */
export function nextTime(cadence: Cadence, after: Date): Date | null {
  try {
    return nextTimes(cadence, after, 1)[0] ?? null;
  } catch {
    return null;
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function whenSaid(field: string, problem: string | null): Record<string, string> {
  return problem === null ? {} : { [field]: problem };
}

const fieldsWanted =
  "Give five fields: minute, hour, day of the month, month and day of the week, for example 30 2 * * * for every day at 02:30.";

function cronProblem(cron: string): string | null {
  // “?” would stand for the moment of saving, which nobody could read from the expression later.
  if (cron.length > 200 || !/^[\d*,/LW#+A-Z-]+( [\d*,/LW#+A-Z-]+){4}$/.test(cron)) return fieldsWanted;
  try {
    // In UTC: that a clock is set back does not make an expression come true too often.
    const times = nextTimes({ cron, timeZone: "UTC" }, new Date(), lookahead);
    return times.length === 0 ? "There is no such time, so it would never run." : closenessProblem(times);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : "";
    return `It cannot be read as a cron expression (${why}). ${fieldsWanted}`;
  }
}

function closenessProblem(times: readonly Date[]): string | null {
  const gaps = times
    .slice(1)
    .map((time, index) => (time.getTime() - (times[index]?.getTime() ?? 0)) / 60_000);
  const least = Math.min(...gaps);
  if (least >= shortestInterval) return null;
  return `It would run ${least} min apart; leave at least ${shortestInterval} minutes, for example */${shortestInterval} * * * *.`;
}

function zoneProblem(timeZone: string): string | null {
  return isTimeZone(timeZone) ? null : "Choose a time zone by its name, for example Europe/Berlin or UTC.";
}
