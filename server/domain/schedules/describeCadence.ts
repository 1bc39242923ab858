import type { Cadence } from "./cadence.ts";

const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const shortNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** "Every day at 02:30", or the expression itself where words would be longer than it. */
export function cadenceWords({ cron }: Pick<Cadence, "cron">): string {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = cron.split(" ");
  const everyDay = day === "*" && month === "*" && weekday === "*";
  const often = everyDay ? oftenWords(minute, hour) : null;
  if (often !== null) return often;
  const at = timesOfDay(minute, hour);
  const on = month === "*" ? daysWords(day, weekday) : null;
  return at === null || on === null ? `At the times of ${cron}` : `${on} at ${at}`;
}

/** What repeats within a day. */
function oftenWords(minute: string, hour: string): string | null {
  const minutes = stepOf(minute, 60);
  if (minutes !== null && hour === "*") return `Every ${minutes} minutes`;
  if (!isNumber(minute)) return null;
  const past = Number(minute) === 0 ? "on the hour" : `at :${minute.padStart(2, "0")}`;
  if (hour === "*") return `Every hour ${past}`;
  const hours = stepOf(hour, 24);
  return hours === null ? null : `Every ${hours} hours ${past}`;
}

/** Of a step only where it divides the whole: every 7 minutes would not be true around the hour. */
function stepOf(field: string, whole: number): number | null {
  const step = Number(/^\*\/(\d+)$/.exec(field)?.[1] ?? 0);
  return step > 1 && whole % step === 0 ? step : null;
}

function timesOfDay(minute: string, hour: string): string | null {
  const hours = hour.split(",");
  if (!isNumber(minute) || !hours.every(isNumber) || hours.length > 6) return null;
  return listed(hours.map((each) => `${each.padStart(2, "0")}:${minute.padStart(2, "0")}`));
}

function daysWords(day: string, weekday: string): string | null {
  if (day === "*" && weekday === "*") return "Every day";
  if (day === "*") return weekdayWords(weekday);
  const days = day.split(",");
  if (weekday !== "*") return null;
  if (day === "L") return "On the last day of every month";
  return days.every(isNumber) ? `On day ${listed(days)} of every month` : null;
}

function weekdayWords(field: string): string | null {
  const [from, to, ...more] = field.split("-").map(weekdayOf);
  if (from && to && more.length === 0) return `${from} to ${to}`;
  const days = field.split(",").map(weekdayOf);
  return days.every((name) => name !== null) ? `Every ${listed(days)}` : null;
}

function weekdayOf(field: string): string | null {
  const named = shortNames.indexOf(field);
  if (named >= 0) return weekdays[named] ?? null;
  return /^[0-7]$/.test(field) ? (weekdays[Number(field)] ?? null) : null;
}

function isNumber(field: string): boolean {
  return /^\d{1,2}$/.test(field);
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
