import type { ProviderPolicy, ProviderReader } from "../../provider/port.ts";
import { digestOfAssignments } from "../backups/assignment.ts";
import { digestOfJson } from "../digest.ts";
import type { Intent, SettledWrite } from "./intent.ts";

/**
 * Finds out from the provider whether a call whose answer was lost had been carried out. Only reads. Throws
 * `ProviderError` when the provider cannot be asked: then it is not known. To be asked when the call can no
 * longer be on the wire.
 */
export async function readBack(
  reader: ProviderReader,
  intent: Intent,
  signal: AbortSignal,
): Promise<SettledWrite> {
  switch (intent.action) {
    case "create":
      return findCreated(reader, intent, signal);
    case "delete":
      return (await reader.readPolicy(intent.type, idOf(intent), signal)) === null
        ? done(intent.id)
        : failed("The provider did not carry it out.");
    case "update":
    case "actions":
    case "definitions":
    case "assign":
      return compare(reader, intent, signal);
  }
}

/** Nothing had this match key when the call was intended, so what has it now is what the call created. */
async function findCreated(
  reader: ProviderReader,
  { type, matchKey }: Intent,
  signal: AbortSignal,
): Promise<SettledWrite> {
  const found: string[] = [];
  for await (const page of reader.listIdentities(type, signal))
    found.push(...page.filter((identity) => identity.matchKey === matchKey).map(({ id }) => id));
  const [id] = found;
  if (id === undefined) return failed("The provider did not carry it out.");
  if (found.length === 1) return done(id);
  return { state: "unknown", id: null, reason: "Several objects of that name are there now." };
}

/** Carried out or not, as far as it reads as one of both: else it may have been changed by others besides. */
async function compare(reader: ProviderReader, intent: Intent, signal: AbortSignal): Promise<SettledWrite> {
  const { type, action, before, after } = intent;
  const policy = await reader.readPolicy(type, idOf(intent), signal);
  if (policy === null) return failed("The object is no longer there.");
  const reads = digestRead(action, policy);
  if (reads === after) return done(policy.id);
  if (reads === before) return failed("The provider did not carry it out.");
  return { state: "unknown", id: policy.id, reason: "It reads neither as before nor as it was to become." };
}

/** What `before` and `after` of an intent are: of the part that the call writes, where that is one of its own. */
export function digestRead(
  action: Intent["action"],
  { normalised, assignments }: Pick<ProviderPolicy, "normalised" | "assignments">,
): string | null {
  if (action === "assign") return digestOfAssignments(assignments);
  return digestOfJson(action === "definitions" ? (normalised.definitionValues ?? []) : normalised);
}

function idOf({ id, action }: Intent): string {
  if (id === null) throw new Error(`An intent to ${action} names no object.`);
  return id;
}

function done(id: string | null): SettledWrite {
  return { state: "done", id, reason: null };
}

function failed(reason: string): SettledWrite {
  return { state: "failed", id: null, reason };
}
