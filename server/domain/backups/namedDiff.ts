import type { JsonObject, JsonValue } from "../../provider/port.ts";
import { isObject } from "./assignment.ts";
import { type FieldChange, fieldDiff } from "./fieldDiff.ts";

/**
 * How one policy differs from another as people look for it: what stands in a list goes by what it is of, where that
 * tells all of it apart, so that one more at the beginning is one change. Where only the order differs, by places.
 */
export function namedDiff(before: JsonValue, after: JsonValue): FieldChange[] {
  const changes = fieldDiff(...byName(before, after));
  return changes.length > 0 ? changes : fieldDiff(before, after);
}

type Pair = [before: JsonValue, after: JsonValue];

function byName(before: JsonValue, after: JsonValue): Pair {
  if (Array.isArray(before) && Array.isArray(after)) return listsByName(before, after);
  if (!isObject(before) || !isObject(after)) return [before, after];
  return together(before, after);
}

function listsByName(before: readonly JsonValue[], after: readonly JsonValue[]): Pair {
  const [a, b] = [named(before), named(after)];
  if (a !== null && b !== null) return together(a, b);
  const pairs = before.slice(0, after.length).map((item, index) => byName(item, after[index] ?? null));
  return [
    [...pairs.map(([item]) => item), ...before.slice(pairs.length)],
    [...pairs.map(([, item]) => item), ...after.slice(pairs.length)],
  ];
}

function together(before: JsonObject, after: JsonObject): Pair {
  const pairs = Object.keys(before).flatMap((key): [string, Pair][] => {
    const [a, b] = [before[key], after[key]];
    return a === undefined || b === undefined ? [] : [[key, byName(a, b)]];
  });
  return [
    { ...before, ...Object.fromEntries(pairs.map(([key, [a]]) => [key, a])) },
    { ...after, ...Object.fromEntries(pairs.map(([key, [, b]]) => [key, b])) },
  ];
}

/** The items of a list by their names in brackets; null where one has none, or two have the same. */
function named(items: readonly JsonValue[]): JsonObject | null {
  const names = items.map(nameOf).filter((name) => name !== null);
  if (names.length < items.length || new Set(names).size < items.length) return null;
  return Object.fromEntries(items.map((item, index) => [`[${names[index]}]`, item]));
}

/** What it is of: a setting's definition, an administrative template's, a custom setting's address. */
function nameOf(item: JsonValue): string | null {
  if (!isObject(item)) return null;
  const setting = isObject(item.settingInstance) ? item.settingInstance : item;
  const of = [
    setting.settingDefinitionId,
    item["definition@odata.bind"],
    item["presentation@odata.bind"],
    item.omaUri,
  ];
  const name = of.find((candidate) => typeof candidate === "string" && candidate !== "");
  return typeof name === "string" ? name : null;
}
