import { type PolicyType, typeLabels } from "../../provider/policyTypes.ts";
import { type Again, knownTypesOf } from "./askAgain.ts";
import type { ShownRun } from "./findRunFor.ts";
import { titleOf } from "./runWords.ts";

/** What asking again would work on that the run did not, or the other way round. */
export type Difference = { what: string; before: string; now: string };

/** Empty when a rerun would work on exactly the same. */
export function describeDifference(run: ShownRun, again: Again, connectionId: string | null): Difference[] {
  return [...ofOperation(run, again), ...ofConnection(run, connectionId), ...ofTypes(run, again)];
}

function ofOperation(run: ShownRun, { operation }: Again): Difference[] {
  if (run.operation === operation) return [];
  return [{ what: "Operation", before: titleOf(run.operation), now: titleOf(operation) }];
}

function ofConnection(run: ShownRun, connectionId: string | null): Difference[] {
  if (run.connectionId === connectionId) return [];
  const before = run.connectionId === null ? "none" : "the one of then";
  const now = connectionId === null ? "none" : run.connectionId === null ? "the one there is" : "another one";
  return [{ what: "Connection", before, now }];
}

function ofTypes(run: ShownRun, { operation, target }: Again): Difference[] {
  if (operation !== run.operation) return [];
  const before = namedTypes(run.target);
  const now = knownTypesOf(target).map(labelOf);
  if (before.length === now.length) return [];
  return [{ what: "Policy types", before: before.join(", "), now: now.join(", ") }];
}

/** Those this release no longer has go by their name. */
function namedTypes(target: unknown): string[] {
  const known: readonly string[] = knownTypesOf(target);
  const all = typesIn(target);
  return [...knownTypesOf(target).map(labelOf), ...all.filter((type) => !known.includes(type))];
}

function typesIn(target: unknown): string[] {
  const isObject = typeof target === "object" && target !== null && "types" in target;
  return isObject && Array.isArray(target.types) ? target.types.map(String) : [];
}

function labelOf(type: PolicyType): string {
  return typeLabels[type];
}
