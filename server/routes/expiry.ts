import { z } from "zod";

/** Hours within which a request may have to begin ("do not start after"). */
const offered = [1, 4, 24, 168];

export type ExpiryOption = { value: string; label: string; isSelected: boolean };

/** The options of a form; the installation's own default is among them and chosen. */
export function expiryOptions(byDefault: number, selected = byDefault): ExpiryOption[] {
  return [...new Set([...offered, byDefault])]
    .sort((a, b) => a - b)
    .map((hours) => ({ value: String(hours), label: inWords(hours), isSelected: hours === selected }));
}

/** What such a form sends, as hours; the default when it says nothing. */
export function startWithin(byDefault: number) {
  return z
    .string()
    .default(String(byDefault))
    .transform(Number)
    .refine((hours) => hours === byDefault || offered.includes(hours));
}

function inWords(hours: number): string {
  const [count, unit] = hours % 24 === 0 ? [hours / 24, "day"] : [hours, "hour"];
  return `${count} ${unit}${count === 1 ? "" : "s"} from now`;
}
