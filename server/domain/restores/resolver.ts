import type { JsonObject, JsonValue } from "../../provider/port.ts";
import { isObject } from "../backups/assignment.ts";

/** What an id of the backup stands for at the target; `absent` says why nothing there is known to be the same. */
export type Resolved = { kind: "found"; id: JsonValue } | { kind: "absent"; why: string };

/** Finds at the target what a backup names by ids of its own directory. Asks nobody: all was looked up before. */
export type Resolver = {
  tenantName: string;
  /** The backup is of another tenant, where no id but those of everybody's means the same. */
  isElsewhere: boolean;
  group(id: string, name: string | null): Resolved;
  filter(id: string, name: string | null): Resolved;
  scopeTag(id: string, name: string | null): Resolved;
};

/** What a step of the planning leads to: a refusal of the whole item, or a value with notes about it. */
export type Step<T> = { refused: string } | { value: T; notes: string[] };

const createdKey = "$created";

/**
 * Stands in a plan for the id of an object that the same restore creates earlier: `{"$created": "<type>|<match
 * key>"}`, in the place where the id belongs. It is put in when the object has been created.
 */
export function createdPlaceholder(type: string, matchKey: string): JsonObject {
  return { [createdKey]: `${type}|${matchKey}` };
}

/** `value` with every such place filled in. `idOf` throws where the object was not created. */
export function withCreatedIds(value: JsonValue, idOf: (key: string) => string): JsonValue {
  if (Array.isArray(value)) return value.map((item) => withCreatedIds(item, idOf));
  if (!isObject(value)) return value;
  const key = value[createdKey];
  if (typeof key === "string") return idOf(key);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, withCreatedIds(inner, idOf)]),
  );
}
