import type { PolicyType } from "../../provider/policyTypes.ts";
import type { JsonObject, PolicyModel, ProviderPolicy } from "../../provider/port.ts";
import { digestOfAssignments } from "../backups/assignment.ts";
import type { FieldChange } from "../backups/fieldDiff.ts";
import type { ReferredNames } from "../backups/references.ts";
import { digestOfJson } from "../digest.ts";
import { mapActions } from "./mapActions.ts";
import { mapConditions } from "./mapConditions.ts";
import { mapScopeTags } from "./mapScopeTags.ts";
import type { RestoreOptions } from "./options.ts";
import { planAssignments } from "./planAssignments.ts";
import type { Resolver, Step } from "./resolver.ts";
import { settleSecrets } from "./secrets.ts";
import { problemOfTies } from "./unportable.ts";
import { assignmentDiff, updateDiff } from "./updateDiff.ts";

/** What a backup kept of one policy, as far as restoring it goes. */
export type SourceItem = {
  type: PolicyType;
  normalised: JsonObject;
  assignments: JsonObject[] | null;
  notCaptured: string[];
  names: ReferredNames;
};

/** What a restore will do with one item. `desired` and `assignments` are null where nothing is to be written. */
export type PlannedItem = {
  action: "create" | "update" | "unchanged" | "refused";
  /** Why it is refused; null otherwise. */
  reason: string | null;
  /** The object that is there, and the digest of how it was found. */
  providerId: string | null;
  expectedHash: string | null;
  desired: JsonObject | null;
  /** The whole set to be sent; null leaves the assignments as they are. */
  assignments: JsonObject[] | null;
  diff: FieldChange[];
  notes: string[];
};

export type PlanQuestion = {
  item: SourceItem;
  /** The one object at the target that has the item's match key; null for none. */
  present: ProviderPolicy | null;
  options: RestoreOptions;
  resolve: Resolver;
  planWrites: PolicyModel["planWrites"];
};

/** Decides what a restore does with one item. Pure: all that it needs to know is in the question. */
export function planItem({ item, present, options, resolve, planWrites }: PlanQuestion): PlannedItem {
  const tie = problemOfTies(item.type, item.normalised, present === null, resolve);
  if (tie !== null) return refusedItem(tie);
  const policy = desiredPolicy(item, present, options, resolve);
  if ("refused" in policy) return refusedItem(policy.refused);
  const { names } = item;
  const live = present?.assignments ?? [];
  const mode = options.assignments;
  const assigned = planAssignments({ backedUp: item.assignments, live, mode, names, resolve });
  if ("refused" in assigned) return refusedItem(assigned.refused);
  const desired = policy.value;
  const assignments = assigned.value;
  const notes = [...policy.notes, ...assigned.notes];
  if (present === null) return { ...nothing, action: "create", desired, assignments, notes };
  const known = { providerId: present.id, expectedHash: hashOfState(present), notes };
  // What counts is what would be sent: a property that only the target has is not taken away by a restore.
  if (planWrites(item.type, desired, assignments, { id: present.id, present }).length === 0)
    return { ...nothing, ...known, action: "unchanged" };
  const diff = [
    ...updateDiff(item.type, desired, present, planWrites),
    ...assignmentDiff(live, assignments, names, resolve),
  ];
  return { ...nothing, ...known, action: "update", desired, assignments, diff };
}

export function refusedItem(reason: string): PlannedItem {
  return { ...nothing, action: "refused", reason };
}

/** How an object is, assignments included: equal for what a restore would not tell apart. */
export function hashOfState({ normalised, assignments }: Pick<ProviderPolicy, "normalised" | "assignments">) {
  return digestOfJson({ normalised, assignments: digestOfAssignments(assignments) });
}

const nothing = {
  reason: null,
  providerId: null,
  expectedHash: null,
  desired: null,
  assignments: null,
  diff: [],
  notes: [],
} satisfies Omit<PlannedItem, "action">;

function desiredPolicy(
  item: SourceItem,
  present: ProviderPolicy | null,
  options: RestoreOptions,
  resolve: Resolver,
): Step<JsonObject> {
  const steps: ((policy: JsonObject) => Step<JsonObject>)[] = [
    (policy) => settleSecrets(item.type, policy, item.notCaptured, present),
    (policy) => mapScopeTags(policy, item.names, resolve),
  ];
  if (item.type === "deviceCompliancePolicies") steps.push((policy) => mapActions(policy, resolve));
  if (item.type === "conditionalAccessPolicies")
    steps.push(
      (policy) => mapConditions(policy, item.names, resolve),
      (policy) => settleState(policy, present, options),
    );
  const notes: string[] = [];
  let value = item.normalised;
  for (const step of steps) {
    const taken = step(value);
    if ("refused" in taken) return taken;
    value = taken.value;
    notes.push(...taken.notes);
  }
  return { value, notes };
}

/** One that is created must not begin to be enforced, nor one that is there change, unless somebody chose so. */
function settleState(
  policy: JsonObject,
  present: ProviderPolicy | null,
  options: RestoreOptions,
): Step<JsonObject> {
  const backedUp = policy.state ?? null;
  const chosen = present === null ? options.conditionalAccessState : options.updatedConditionalAccessState;
  if (chosen === "as_backed_up") return { value: policy, notes: [] };
  const kept = present === null ? null : (present.normalised.state ?? null);
  const state = kept ?? (backedUp === "enabled" ? "enabledForReportingButNotEnforced" : backedUp);
  if (state === backedUp) return { value: policy, notes: [] };
  const note =
    present === null
      ? "It starts as report-only; in the backup it is enforced."
      : `It stays ${stateWords(state)}; in the backup it is ${stateWords(backedUp)}.`;
  return { value: { ...policy, state }, notes: [note] };
}

function stateWords(state: unknown): string {
  if (state === "enabled") return "enforced";
  return state === "disabled" ? "off" : "report-only";
}
