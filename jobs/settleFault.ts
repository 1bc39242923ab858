import { isDatabaseAway } from "../server/db/away.ts";
import { type Db, workerBounds } from "../server/db/database.ts";
import { outlasting } from "../server/db/outlasting.ts";
import { isTransient } from "../server/db/retrying.ts";
import { markApprovalRequired } from "../server/domain/connections/markApprovalRequired.ts";
import { markConnectionInvalid } from "../server/domain/connections/markConnectionInvalid.ts";
import { type Fault, failAttempt, handBackAttempt } from "../server/domain/operations/endAttempt.ts";
import type { Run } from "../server/domain/operations/run.ts";
import { checkpoint, RunStopped } from "../server/domain/operations/runEffect.ts";
import { ProviderError } from "../server/provider/port.ts";
import type { WorkerDeps } from "./deps.ts";
import { AuthorityDoubted } from "./liveAttempts.ts";

/**
 * Settles an attempt that threw. Authority that ended has already been written; a stopping worker hands the
 * run back; a credential the provider refuses becomes an authority fact, and the gate decides on it; anything
 * else is a fault: the run is queued again with a job of its own, for a fresh gate, or has failed for good. Throws
 * only when that could not be recorded: then the queue delivers again and finds a run whose worker was lost.
 */
export async function settleFault(
  deps: WorkerDeps,
  attempt: { run: Run; credentialVersion: number | null; stopping: boolean },
  thrown: unknown,
): Promise<void> {
  const { run } = attempt;
  if (thrown instanceof RunStopped) return;
  if (thrown instanceof AuthorityDoubted) {
    // If the gate does not deny after all (the right was given back), another attempt goes on from here.
    if (await mayGoOn(deps, run)) await handBackAttempt(deps.db, run);
    return;
  }
  if (attempt.stopping) {
    await handBackAttempt(deps.db, run);
    return;
  }
  const mark = markOf(thrown);
  // Authority that ended meanwhile is what the run ended of, not the fault; and such a run marks nothing any more.
  if ((mark !== null || run.attempt >= run.maxAttempts) && !(await mayGoOn(deps, run))) return;
  if (mark !== null && run.connectionId !== null) {
    const { id: runId, connectionId } = run;
    const { credentialVersion } = attempt;
    await mark(deps.db, { connectionId, credentialVersion, runId });
    if (!(await mayGoOn(deps, run))) return;
  }
  const fault = faultOf(thrown);
  deps.log.warn({ run: run.id, attempt: run.attempt, fault: fault.code, err: thrown }, fault.message);
  await failAttempt(deps.db, run, fault);
}

/** Whether the run may still go on: only the gate can say no, and it ends the run then. */
async function mayGoOn(deps: WorkerDeps, run: Run): Promise<boolean> {
  const answer = await outlasting(() => deps.db.transaction((tx) => checkpoint(tx, run), workerBounds));
  return answer.kind === "allowed";
}

type Mark = (
  db: Db,
  seen: { connectionId: string; credentialVersion: number | null; runId: string },
) => Promise<void>;

/** What the fault says about the connection, if anything: a fact for the gate, which alone decides on it. */
function markOf(thrown: unknown): Mark | null {
  if (!(thrown instanceof ProviderError)) return null;
  const cause = thrown.message;
  if (thrown.code === "credential_rejected")
    return (db, seen) => markConnectionInvalid(db, { ...seen, cause });
  if (thrown.code === "approval_required") return (db, seen) => markApprovalRequired(db, { ...seen, cause });
  return null;
}

function faultOf(thrown: unknown): Fault {
  if (thrown instanceof ProviderError) {
    const support = thrown.requestId === null ? "" : ` (request ${thrown.requestId})`;
    return thrown.code === "unavailable"
      ? { code: "provider_unavailable", message: `Microsoft did not answer: ${thrown.message}${support}` }
      : { code: "provider_refused", message: `Microsoft refused: ${thrown.message}${support}` };
  }
  if (isTransient(thrown) || isDatabaseAway(thrown))
    return { code: "internal_error", message: "The database did not answer in time." };
  return {
    code: "internal_error",
    message: "An unexpected error; the worker's log has it under this run's id.",
  };
}
