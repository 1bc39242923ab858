import microdiff, { type Difference } from "microdiff";
import type { JsonValue } from "../../provider/port.ts";

/** One field that differs. `before` or `after` is absent where the field is not there on that side. */
export type FieldChange = { path: string; before?: JsonValue; after?: JsonValue };

/** More than a person reads; what is beyond is left out. */
const mostChanges = 500;

/** How one JSON value differs from another, field by field; at most 500 changes. */
export function fieldDiff(before: JsonValue, after: JsonValue): FieldChange[] {
  const differences = microdiff({ "": before }, { "": after }, { cyclesFix: false });
  return differences.slice(0, mostChanges).map(toChange);
}

function toChange(difference: Difference): FieldChange {
  const path = pathOf(difference.path.slice(1));
  switch (difference.type) {
    case "CREATE":
      return { path, after: difference.value };
    case "REMOVE":
      return { path, before: difference.oldValue };
    case "CHANGE":
      return { path, before: difference.oldValue, after: difference.value };
  }
}

/** As people write it: `settings[2].value`. */
function pathOf(steps: readonly (string | number)[]): string {
  return steps
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}
