import type { Reader, Tx } from "../../db/database.ts";
import { digestOfJson } from "../digest.ts";
import { Conflict } from "../errors.ts";
import { type RunRequest, targetOf } from "./freezeRequest.ts";
import { type Run, runColumns } from "./run.ts";

/**
 * What a request with the same key has made before: repeating it makes nothing new. Throws `Conflict` when that
 * was a request for something else: answering with its run would pass one thing off as another.
 */
export async function findByRequestKey(tx: Tx, request: RunRequest): Promise<Run | undefined> {
  if (request.requestKey === null) return undefined;
  const [run] = await tx.query<Run & { rerunOf: string | null }>(
    `select ${runColumns}, rerun_of as "rerunOf" from operation_runs
     where workspace_id = $1 and initiator_id = $2 and request_key = $3`,
    [request.workspaceId, request.initiator?.id ?? null, request.requestKey],
  );
  if (run === undefined) return undefined;
  const asked = { ...request, target: targetOf(request), rerunOf: request.rerunOf ?? null };
  if (whatIs(run) !== whatIs(asked))
    throw new Conflict(
      "This form was used before, to start something else. Go back, reload the page and start it from there.",
    );
  return run;
}

/** What somebody's form has asked for, if it was sent before: its page may have nothing to show any more. */
export async function findAskedBefore(
  reader: Reader,
  asked: { workspaceId: string; initiatorId: string; operation: string; requestKey: string },
): Promise<{ id: string; target: unknown; outcome: string } | undefined> {
  const [run] = await reader.query<{ id: string; target: unknown; outcome: string }>(
    `select id, target, outcome from operation_runs
     where workspace_id = $1 and initiator_id = $2 and request_key = $3 and operation = $4`,
    [asked.workspaceId, asked.initiatorId, asked.requestKey, asked.operation],
  );
  return run;
}

function whatIs(asked: {
  operation: string;
  tenantId: string | null;
  target: unknown;
  rerunOf: string | null;
}): string {
  const { operation, tenantId, target, rerunOf } = asked;
  return digestOfJson({ operation, tenantId, target, rerunOf });
}
