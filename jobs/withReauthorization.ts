import type { JobHelpers, Task } from "graphile-worker";
import type { Begun, Delivery } from "../server/domain/operations/beginAttempts.ts";
import type { OperationName } from "../server/domain/operations/catalog.ts";
import { recordUndecided } from "../server/domain/operations/endAttempt.ts";
import type { Ending } from "../server/domain/operations/finishRuns.ts";
import type { Run } from "../server/domain/operations/run.ts";
import type { RecordSettled } from "../server/domain/operations/settleWrite.ts";
import { type AuthorizedRun, openRun } from "./authorizedRun.ts";
import type { WorkerDeps } from "./deps.ts";
import { acceptDelivery, refuse } from "./payload.ts";
import { settleFault } from "./settleFault.ts";

/** What an operation does once authorized. It returns how it ended; a fault throws. */
export type Perform = (run: AuthorizedRun) => Promise<Exclude<Ending, { outcome: "blocked" | "cancelled" }>>;

const reauthorized: unique symbol = Symbol("reauthorized");

/** A task that gates. The symbol is this module's own: nothing else can make one, and the task list takes no other. */
export type ReauthorizedTask = {
  readonly [reauthorized]: true;
  readonly operation: OperationName;
  /** For an operation that writes at the provider: what a settled call means for its items. */
  readonly record: RecordSettled | null;
  bind(deps: WorkerDeps): Task;
};

/**
 * The only way to make a task that affects a tenant. For every delivery: read the run's id, take a fencing
 * token and gate; only then `perform`. A denial returns, because it is final; a fault that `perform` throws is
 * retried with a fresh gate (handbook 2, "Graphile Worker facts that bind us").
 */
export function withReauthorization(
  operation: OperationName,
  perform: Perform,
  { recordSettled }: { recordSettled?: RecordSettled } = {},
): ReauthorizedTask {
  return {
    [reauthorized]: true,
    operation,
    record: recordSettled ?? null,
    bind: (deps) => async (payload, helpers) => {
      const delivery = await acceptDelivery(deps, operation, payload, helpers.job.id);
      if (delivery === undefined) return;
      const begun = await begin(deps, delivery);
      if (begun.kind === "authorized")
        await performAttempt(deps, begun.run, { perform, record: recordSettled ?? null }, helpers);
      else if (begun.kind === "absent") await refuse(deps, delivery, "there is no such run");
      else if (begun.kind === "foreign") await refuse(deps, delivery, "the run is of another operation");
      else deps.log.info({ run: delivery.runId, operation }, `run not begun: ${begun.kind}`);
    },
  };
}

/** Fails closed: when the gate could not decide, nothing ran, and the run is queued again or has failed. */
async function begin(deps: WorkerDeps, delivery: Delivery): Promise<Begun> {
  try {
    return await deps.begin(delivery);
  } catch (error) {
    deps.log.error({ run: delivery.runId, err: error }, "authority could not be decided");
    await recordUndecided(deps.db, delivery);
    return { kind: "undecided" };
  }
}

async function performAttempt(
  deps: WorkerDeps,
  run: Run,
  { perform, record }: { perform: Perform; record: RecordSettled | null },
  helpers: JobHelpers,
): Promise<void> {
  const attempt = deps.attempts.open(run, helpers.abortSignal);
  let credentialVersion: number | null = null;
  try {
    const opened = openRun(deps, attempt, record, (version) => {
      credentialVersion = version;
    });
    const ending = await perform(opened);
    const ended = await deps.finish({ run, ending });
    deps.log.info({ run: run.id, outcome: ended ? ending.outcome : "fenced" }, "run ended");
  } catch (thrown) {
    const stopping = helpers.abortSignal?.aborted ?? false;
    await settleFault(deps, { run, credentialVersion, stopping }, thrown);
  } finally {
    attempt.end();
  }
}
