/** A moment as a page shows it: `iso` for machines, `title` in UTC. */
export type ShownTime = { iso: string; text: string; title: string };

const minute = 60_000;

/** In the viewer's zone; relative within the hour, time only within the day, then with the date. */
export function showTime(at: Date, now: Date, timeZone: string | null): ShownTime {
  return { iso: at.toISOString(), text: wordsFor(at, now, usableZone(timeZone)), title: inUtc(at) };
}

/** To the second, for timelines: "14:09:31", with the date when it is another day. */
export function showMoment(at: Date, now: Date, timeZone: string | null): ShownTime {
  const zone = usableZone(timeZone);
  const time = format(at, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const text = isSameDay(at, now, zone) ? time : `${dateWords(at, now, zone)}, ${time}`;
  return { iso: at.toISOString(), text, title: inUtc(at) };
}

/** A day (`YYYY-MM-DD`) as people write it: "1 Jan 2026". */
export function showDay(day: string): string {
  return format(new Date(`${day}T00:00:00Z`), "UTC", { day: "numeric", month: "short", year: "numeric" });
}

/** "< 0.1 s", "0.4 s", "22 s", "1 min 12 s", "3 h 5 min", "2 d 4 h". */
export function showDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 0.1) return "< 0.1 s";
  if (seconds < 10) return `${(Math.round(seconds * 10) / 10).toString()} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return inTwo(whole, 60, "min", 1, "s");
  if (whole < 86_400) return inTwo(whole, 3600, "h", 60, "min");
  return inTwo(whole, 86_400, "d", 3600, "h");
}

function inTwo(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % big) / small);
  const head = `${Math.floor(seconds / big)} ${bigUnit}`;
  return rest === 0 ? head : `${head} ${rest} ${smallUnit}`;
}

function wordsFor(at: Date, now: Date, zone: string): string {
  const past = now.getTime() - at.getTime();
  const minutes = Math.round(Math.abs(past) / minute);
  if (minutes < 1) return past >= 0 ? "just now" : "in a moment";
  if (minutes < 60) return past >= 0 ? `${minutes} min ago` : `in ${minutes} min`;
  const time = format(at, zone, { hour: "2-digit", minute: "2-digit" });
  return isSameDay(at, now, zone) ? time : `${dateWords(at, now, zone)}, ${time}`;
}

function dateWords(at: Date, now: Date, zone: string): string {
  const isSameYear = format(at, zone, { year: "numeric" }) === format(now, zone, { year: "numeric" });
  return format(at, zone, { day: "numeric", month: "short", ...(!isSameYear && { year: "numeric" }) });
}

function isSameDay(a: Date, b: Date, zone: string): boolean {
  return format(a, zone, { dateStyle: "short" }) === format(b, zone, { dateStyle: "short" });
}

function inUtc(at: Date): string {
  return `${at.toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs more than a page's worth of formatting. */
function format(at: Date, timeZone: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${timeZone} ${JSON.stringify(options)}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat("en-GB", { ...options, timeZone });
  formats.set(key, known);
  return known.format(at);
}

/** A stored zone that this runtime does not know must not take the page down. */
export function usableZone(timeZone: string | null): string {
  if (timeZone === null) return "UTC";
  try {
    format(new Date(0), timeZone, { hour: "2-digit" });
    return timeZone;
  } catch {
    return "UTC";
  }
}
