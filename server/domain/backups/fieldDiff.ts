import microdiff, { type Difference } from "microdiff";
import type { JsonValue } from "../../provider/port.ts";

/** One field that differs. `before` or `after` is absent where the field is not there on that side. */
export type FieldChange = { path: string; before?: JsonValue; after?: JsonValue };

/** More than a person reads; what is beyond is left out. */
const mostChanges = 500;

/** The database keeps keys in an order of its own. */
const inReading = new Intl.Collator("en", { numeric: true });

/** How one JSON value differs from another, field by field, by path; at most 500 changes. */
export function fieldDiff(before: JsonValue, after: JsonValue): FieldChange[] {
  const differences = microdiff({ "": before }, { "": after }, { cyclesFix: false });
  const changes = differences.map(toChange).sort((a, b) => inReading.compare(a.path, b.path));
  return changes.slice(0, mostChanges);
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

/** As people write it: `settings[2].value`; a step in brackets stays as it is. */
function pathOf(steps: readonly (string | number)[]): string {
  return steps
    .map((step) => (typeof step === "number" ? `[${step}]` : step.startsWith("[") ? step : `.${step}`))
    .join("")
    .replace(/^\./, "");
}
