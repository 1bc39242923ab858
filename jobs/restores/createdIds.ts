import { withCreatedIds } from "../../server/domain/restores/resolver.ts";
import type { JsonValue } from "../../server/provider/port.ts";

type Key = { type: string; matchKey: string };

/** The ids of what the run has created, which later items of the plan refer to before there is an id. */
export type CreatedIds = {
  add(object: Key, id: string): void;
  /** `value` with those ids in place; null when an object it needs was not created. */
  fillIn(value: JsonValue): { value: JsonValue } | null;
};

export function makeCreatedIds(before: readonly (Key & { providerId: string })[]): CreatedIds {
  const ids = new Map(before.map(({ providerId, ...object }) => [keyOf(object), providerId]));
  return {
    add: (object, id) => void ids.set(keyOf(object), id),
    fillIn(value) {
      let isWhole = true;
      const filled = withCreatedIds(value, (key) => {
        const id = ids.get(key);
        if (id === undefined) isWhole = false;
        return id ?? "";
      });
      return isWhole ? { value: filled } : null;
    },
  };
}

function keyOf({ type, matchKey }: Key): string {
  return `${type}|${matchKey}`;
}
