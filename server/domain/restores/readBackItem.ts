import type { JsonObject, ProviderPolicy } from "../../provider/port.ts";
import { digestOfAssignments } from "../backups/assignment.ts";
import { fieldDiff } from "../backups/fieldDiff.ts";
import { pathOfPointer } from "./secrets.ts";

/** What was written. `assignments` is null where they were left as they are. */
export type Written = { desired: JsonObject; assignments: JsonObject[] | null };

/** Why an item whose writing went well has failed all the same; null when it reads as it was written. */
export function problemReading(written: Written, read: ProviderPolicy | null): string | null {
  if (read === null) return "Written, but it cannot be read back";
  const fields = differencesFrom(written, read);
  if (fields.length === 0) return null;
  const named = fields.slice(0, 5).join(", ");
  const more = fields.length > 5 ? ` and ${fields.length - 5} more` : "";
  return `Written, but reads back differently: ${named}${more}`;
}

/**
 * The fields that read otherwise than they were written, as people write them. What the provider adds by itself
 * is none, nor is a secret that it keeps to itself.
 */
function differencesFrom(
  { desired, assignments }: Written,
  read: Pick<ProviderPolicy, "normalised" | "notCaptured" | "assignments">,
): string[] {
  const secrets = read.notCaptured.map(pathOfPointer);
  const fields = fieldDiff(desired, read.normalised)
    .filter((change) => "before" in change && change.before !== null)
    .map(({ path }) => path)
    .filter((path) => !secrets.includes(path));
  const isOtherwiseAssigned =
    assignments !== null && digestOfAssignments(assignments) !== digestOfAssignments(read.assignments);
  return isOtherwiseAssigned ? [...fields, "assignments"] : fields;
}
