import { z } from "zod";

/** How long something may last, in hours; forms offer these rather than a moment in somebody's time zone. */
const durations = [
  { hours: 1, label: "for 1 hour" },
  { hours: 4, label: "for 4 hours" },
  { hours: 8, label: "for 8 hours" },
  { hours: 24, label: "for a day" },
  { hours: 168, label: "for a week" },
  { hours: 720, label: "for 30 days" },
] as const;

export type DurationOption = { value: string; label: string; isSelected: boolean };

/** The options of a form; `endless` is the words for no end, which comes first. */
export function durationOptions(endless: string, selected: number | null = null): DurationOption[] {
  return [
    { value: "", label: endless, isSelected: selected === null },
    ...durations.map(({ hours, label }) => ({
      value: String(hours),
      label,
      isSelected: hours === selected,
    })),
  ];
}

/** What such a form sends: hours, or null for no end. */
export const Hours = z
  .string()
  .refine((text) => text === "" || durations.some(({ hours }) => String(hours) === text))
  .transform((text) => (text === "" ? null : Number(text)));
