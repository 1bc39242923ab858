import type { Reader } from "../../db/database.ts";
import { decide } from "../authority/decide.ts";
import { gatherFacts } from "../authority/gatherFacts.ts";
import { isOperationName } from "./catalog.ts";
import { type Run, subjectOf } from "./run.ts";

/**
 * Those of the runs under way that would be denied their next effect as things stand, or that somebody asked to
 * cancel. A hint, without locks:
 * whoever acts on it asks the gate (handbook 2, "NOTIFY is a hint, never the guarantee").
 */
export async function findDenied(reader: Reader, runs: readonly Run[]): Promise<Set<string>> {
  const known = runs.filter(({ operation }) => isOperationName(operation));
  const facts = await gatherFacts(reader, known.map(subjectOf), "checkpoint");
  const denied = [...facts].filter(([, found]) => decide(found).verdict === "denied").map(([id]) => id);
  return new Set([...denied, ...(await listCancelled(reader, runs))]);
}

async function listCancelled(reader: Reader, runs: readonly Run[]): Promise<string[]> {
  const rows = await reader.query<{ id: string }>(
    "select id from operation_runs where id = any ($1::uuid[]) and cancel_requested_at is not null",
    [runs.map(({ id }) => id)],
  );
  return rows.map(({ id }) => id);
}
