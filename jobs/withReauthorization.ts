import type { JobHelpers, Task } from "graphile-worker";
import { awaitChildren } from "../server/domain/operations/awaitChildren.ts";
import type { Begun, Delivery } from "../server/domain/operations/beginAttempts.ts";
import type { OperationName } from "../server/domain/operations/catalog.ts";
import { recordUndecided } from "../server/domain/operations/endAttempt.ts";
import type { Ending } from "../server/domain/operations/ending.ts";
import type { Run } from "../server/domain/operations/run.ts";
import type { RecordSettled } from "../server/domain/operations/settleWrite.ts";
import { type AuthorizedRun, openRun, openTenantlessRun, type TenantlessRun } from "./authorizedRun.ts";
import type { WorkerDeps } from "./deps.ts";
import type { LiveAttempt } from "./liveAttempts.ts";
import { acceptDelivery, refuse } from "./payload.ts";
import { settleFault } from "./settleFault.ts";

type ReachedEnd = Exclude<Ending, { outcome: "blocked" | "cancelled" }>;

/** What an operation does once authorized. It returns how it ended; a fault throws. */
export type Perform = (run: AuthorizedRun) => Promise<ReachedEnd>;

/** What one does that asks for other runs: it returns when it has asked for all of them, and they end it. */
export type PerformThroughChildren = (run: TenantlessRun) => Promise<void>;

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
  const record = recordSettled ?? null;
  return makeTask(operation, record, async (deps, attempt, connected) => {
    const ending = await perform(openRun(deps, attempt, record, connected));
    const ended = await deps.finish({ run: attempt.run, ending });
    return ended ? ending.outcome : "fenced";
  });
}

/** The same for a run without a tenant that asks for a run at each of many, and leaves its end to them. */
export function throughChildren(operation: OperationName, perform: PerformThroughChildren): ReauthorizedTask {
  return makeTask(operation, null, async (deps, attempt) => {
    await perform(openTenantlessRun(deps, attempt));
    return (await awaitChildren(deps.db, attempt.run)) ? "left to its children" : "fenced";
  });
}

/** Works an attempt off; returns in a word how that went, for the log. */
type Work = (
  deps: WorkerDeps,
  attempt: LiveAttempt,
  connected: (credentialVersion: number) => void,
) => Promise<string>;

function makeTask(operation: OperationName, record: RecordSettled | null, work: Work): ReauthorizedTask {
  return {
    [reauthorized]: true,
    operation,
    record,
    bind: (deps) => async (payload, helpers) => {
      const delivery = await acceptDelivery(deps, operation, payload, helpers.job.id);
      if (delivery === undefined) return;
      const begun = await begin(deps, delivery);
      if (begun.kind === "authorized") await performAttempt(deps, begun.run, work, helpers);
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

async function performAttempt(deps: WorkerDeps, run: Run, work: Work, helpers: JobHelpers): Promise<void> {
  const attempt = deps.attempts.open(run, helpers.abortSignal);
  let credentialVersion: number | null = null;
  try {
    const outcome = await work(deps, attempt, (version) => {
      credentialVersion = version;
    });
    deps.log.info({ run: run.id, outcome }, "run ended");
  } catch (thrown) {
    const stopping = helpers.abortSignal?.aborted ?? false;
    await settleFault(deps, { run, credentialVersion, stopping }, thrown);
  } finally {
    attempt.end();
  }
}
