import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject, JsonValue, PolicyModel, ProviderPolicy } from "../../provider/port.ts";
import { comparable, targetOf } from "../backups/assignment.ts";
import type { FieldChange } from "../backups/fieldDiff.ts";
import { namedDiff } from "../backups/namedDiff.ts";
import type { ReferredNames } from "../backups/references.ts";
import type { Resolver } from "./resolver.ts";

/** What writing `desired` over what is there changes: no more than would be written. */
export function updateDiff(
  type: PolicyType,
  desired: JsonObject,
  present: ProviderPolicy,
  planWrites: PolicyModel["planWrites"],
): FieldChange[] {
  const { id, normalised } = present;
  const left = Object.entries(normalised).filter(([key]) => {
    if (key in desired) return false;
    const { [key]: _left, ...others } = normalised;
    // Without it nothing would be written: so leaving it out does not take it away.
    return planWrites(type, others, null, { id, present }).length === 0;
  });
  return namedDiff(normalised, { ...Object.fromEntries(left), ...desired });
}

/** Whom a policy is no longer, newly or otherwise for; null: the assignments stay as they are. */
export function assignmentDiff(
  live: readonly JsonObject[],
  sent: readonly JsonObject[] | null,
  { groups }: ReferredNames,
  resolve: Resolver,
): FieldChange[] {
  if (sent === null) return [];
  const names = new Map<JsonValue, string>();
  for (const [id, name] of Object.entries(groups)) {
    const found = resolve.group(id, name);
    if (found.kind === "found") names.set(found.id, name);
  }
  return namedDiff({ assignments: byWhom(live, names) }, { assignments: byWhom(sent, names) });
}

/** By whom each is for, as people call it; by id as well, for two groups may have one name. */
function byWhom(assignments: readonly JsonObject[], names: ReadonlyMap<JsonValue, string>): JsonObject {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const { kind, groupId } = targetOf(assignment);
      const name = names.get(groupId);
      const whom = name === undefined ? (groupId ?? kind) : `${name}, ${groupId}`;
      return [`[${whom}]`, comparable(assignment)];
    }),
  );
}
