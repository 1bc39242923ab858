import { z } from "zod";
import type { JsonObject, JsonValue } from "../../../provider/port.ts";
import type { DefinitionCatalogue } from "../definitionCatalogue.ts";
import type { Directory } from "../directories.ts";
import type { Schema } from "./schema.ts";

/** One request that was let in: by whom, at which directory, and what was asked. */
export type GraphCall = {
  method: string;
  address: URL;
  /** Undefined when nothing was sent, or no JSON. */
  body: JsonValue | undefined;
  directory: Directory;
  /** Granted application permissions. */
  roles: string[];
  schema: Schema;
  definitions: DefinitionCatalogue;
};

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects among the items of a list; none when it is no list. */
export function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The JSON of a request's text; undefined when it is none. */
export function readJson(text: unknown): JsonValue | undefined {
  if (typeof text !== "string" || text === "") return undefined;
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
