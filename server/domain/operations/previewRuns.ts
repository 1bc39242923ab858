import type { Reader } from "../../db/database.ts";
import { type Decision, decide } from "../authority/decide.ts";
import type { Facts } from "../authority/facts.ts";
import { gatherFacts } from "../authority/gatherFacts.ts";
import { isOperationName } from "./catalog.ts";
import { type Run, runColumns, subjectOf } from "./run.ts";

/**
 * What the gate would say if these open runs began now, holds left aside: "at risk" on pages, and with
 * `supposing`, what a change would do before it is made. Takes no locks and promises nothing. At most
 * `previewLimit` runs are looked at.
 */
export async function previewRuns(
  reader: Reader,
  runIds: readonly string[],
  supposing: (facts: Facts) => Facts = (facts) => facts,
): Promise<Map<string, Decision>> {
  const runs = await reader.query<Run>(
    `select ${runColumns} from operation_runs where id = any ($1::uuid[]) and status <> 'completed' limit $2`,
    [runIds, previewLimit],
  );
  // One that an older or newer release asked for cannot be judged here; that must not keep anybody from revoking.
  const known = runs.filter(({ operation }) => isOperationName(operation));
  const facts = await gatherFacts(reader, known.map(subjectOf), "begin");
  return new Map(
    [...facts].map(([id, found]) => [id, decide({ ...supposing(found), hold: null, workspaceHold: null })]),
  );
}

export const previewLimit = 1_000;
