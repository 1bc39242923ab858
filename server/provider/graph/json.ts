import type { JsonObject, JsonValue } from "../port.ts";

const maxDepth = 200;
// A raw NUL is not JSON and a raw lone surrogate is not UTF-8: only escapes can bring them in.
const suspiciousEscape = /\\u(?:0000|[dD][89a-fA-F])/;

/**
 * The value of a JSON text. What PostgreSQL cannot store in `jsonb` (NUL characters, lone surrogates) is
 * replaced by U+FFFD. Throws a `SyntaxError` for anything that is not JSON or nested beyond 200 levels.
 */
export function parseProviderJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!isWithinDepth(value, maxDepth)) throw new SyntaxError("The JSON is nested too deeply");
  return suspiciousEscape.test(text) ? storable(value) : value;
}

// What JSON.parse made is JSON all the way down; only the outermost kind needs checking.
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The elements that are objects, of an array; an object counts as an array of one, anything else as empty. */
export function objectsIn(value: JsonValue | undefined): JsonObject[] {
  if (Array.isArray(value)) return value.filter(isJsonObject);
  return isJsonObject(value) ? [value] : [];
}

function isWithinDepth(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithinDepth(inner, depth - 1));
}

function storable(value: unknown): unknown {
  if (typeof value === "string") return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== "object" || value === null) return value;
  // Not by assignment: a key called __proto__ must stay a key.
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [storableText(key), storable(inner)]),
  );
}

function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}
