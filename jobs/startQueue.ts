import { EventEmitter } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { type RunnerOptions, run, type WorkerEvents } from "graphile-worker";
import pg from "pg";
import type { WorkerConfig } from "../server/config.ts";
import type { WorkerDeps } from "./deps.ts";
import { crontab, makeMaintenanceTasks } from "./maintenance/maintenanceTasks.ts";
import { onceAnswered, type Waiting } from "./onceAnswered.ts";
import { makeQueueLogger } from "./queueLogger.ts";
import { makeTaskList } from "./taskList.ts";

/**
 * How long (milliseconds) runs may finish after a stop was asked for, before they are handed back. A writing call
 * that begins within it has 20 s (`writeBudget`) to end; with them it is still less than a host waits.
 */
const finishWithin = 4_000;

/** How long (milliseconds) its last words on jobs may take once it has stopped. */
const lastWordsWithin = 2_000;

export type Queue = {
  /** The name in which it locks jobs. */
  poolId: string;
  /** Settles when it has ended, asked to or not. */
  ended: Promise<void>;
  /** Takes no more jobs, lets those under way finish or be handed back. */
  stop(): Promise<void>;
};

/** Starts taking jobs. Once started the queue finds its way back by itself when the database was away. */
export async function startQueue(
  deps: WorkerDeps,
  config: WorkerConfig,
  { onError, ...waiting }: Waiting & { onError: (error: Error) => void },
): Promise<Queue> {
  // Connections of its own: a task that waits for one of ours must not keep jobs from ending.
  const pgPool = new pg.Pool({
    connectionString: config.DATABASE_URL,
    max: 5,
    connectionTimeoutMillis: 10_000,
    application_name: "countersign queue",
  });
  pgPool.on("error", onError);
  pgPool.on("connect", (client) => client.on("error", onError));
  const events: WorkerEvents = new EventEmitter();
  let poolId = "";
  events.on("pool:create", ({ workerPool }) => {
    poolId = workerPool.id;
  });
  const options: RunnerOptions = {
    events,
    pgPool,
    taskList: { ...makeTaskList(deps), ...makeMaintenanceTasks(deps, config) },
    parsedCronItems: crontab,
    noHandleSignals: true,
    logger: makeQueueLogger(deps.log),
    preset: {
      worker: {
        concurrentJobs: config.WORKER_CONCURRENCY,
        pollInterval: 1_000,
        gracefulShutdownAbortTimeout: finishWithin,
      },
    },
  };
  const runner = await onceAnswered(() => run(options), waiting);
  let hasEnded = false;
  // It settles the same way whether the queue was stopped or failed; the queue has logged why.
  const ended = runner.promise
    .catch(() => {})
    .then(() => {
      hasEnded = true;
    });
  return {
    poolId,
    ended,
    async stop() {
      if (!hasEnded) await runner.stop("asked to stop");
      await untilIdle(pgPool);
      await pgPool.end();
    },
  };
}

/**
 * The queue does not wait for its own last word on a job (done, failed) when it stops, and a pool that is ended
 * drops what still waits for a connection.
 */
async function untilIdle(pool: pg.Pool): Promise<void> {
  const busy = () => pool.waitingCount > 0 || pool.idleCount < pool.totalCount;
  for (let waited = 0; busy() && waited < lastWordsWithin; waited += 10) await wait(10);
}
