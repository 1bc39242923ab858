import { digestOfJson } from "../digest.ts";

/**
 * Of what a page showed as chosen. What is confirmed must be just that: as many others are not the same, where a
 * list has changed in between.
 */
export function digestOfChoice(ids: readonly string[]): string {
  return digestOfJson([...ids].sort());
}
