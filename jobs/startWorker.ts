import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { run, type WorkerEvents } from "graphile-worker";
import pg from "pg";
import type { Logger } from "pino";
import { rulesOf, type WorkerConfig } from "../server/config.ts";
import { type Db, openDatabase } from "../server/db/database.ts";
import { makeGraphProvider } from "../server/provider/graph/makeGraphProvider.ts";
import { listenForAuthority } from "./authorityListener.ts";
import { makeWorkerDeps, type WorkerDeps } from "./deps.ts";
import { every } from "./every.ts";
import { crontab, makeMaintenanceTasks } from "./maintenance/maintenanceTasks.ts";
import { rescue } from "./maintenance/rescue.ts";
import { beatPool, markPoolStopped, registerPool } from "./pool.ts";
import { makeQueueLogger } from "./queueLogger.ts";
import { makeTaskList } from "./taskList.ts";

/** How often (milliseconds) the process and its runs show that they are alive. */
const heartbeatEvery = 10_000;
/** How often (milliseconds) running work is looked at again even when no change of authority was heard of. */
const recheckEvery = 5_000;
/** How often (milliseconds) this worker looks for what others left behind. */
const rescueEvery = 10_000;
/** How long (milliseconds) runs may finish after a stop was asked for, before they are handed back. */
const finishWithin = 10_000;

export type Worker = { stop(): Promise<void> };

/** Starts a worker: queue, tasks, heartbeat. `stop` takes no more jobs and finishes or hands back what runs. */
export async function startWorker(config: WorkerConfig, log: Logger): Promise<Worker> {
  const onError = (error: Error) => log.warn({ err: error }, "database connection lost; it will be replaced");
  const db = openDatabase({
    url: config.DATABASE_URL,
    max: config.DATABASE_POOL_MAX,
    rules: rulesOf(config),
    onError,
  });
  // The queue has connections of its own: a task that waits for one of ours must not keep jobs from ending.
  const queuePool = new pg.Pool({ connectionString: config.DATABASE_URL, max: 5 });
  queuePool.on("error", onError);
  queuePool.on("connect", (client) => client.on("error", onError));
  const deps = makeWorkerDeps({
    db,
    credentialKeys: config.CREDENTIAL_KEYS,
    provider: makeGraphProvider({ graphUrl: config.GRAPH_URL, loginUrl: config.LOGIN_URL }),
    log,
  });
  const queue = await startQueue(deps, queuePool, config);
  const background = await startBackground(db, deps, config, queue.workerIds);
  return {
    async stop() {
      await queue.stop();
      await background.stop();
      await Promise.all([db.end(), queuePool.end()]);
    },
  };
}

async function startQueue(deps: WorkerDeps, pgPool: pg.Pool, config: WorkerConfig) {
  const workerIds: string[] = [];
  const events: WorkerEvents = new EventEmitter();
  events.on("worker:create", ({ worker }) => workerIds.push(worker.workerId));
  const runner = await run({
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
  });
  return { workerIds, stop: () => runner.stop("asked to stop") };
}

/** What goes on beside the queue: signs of life, watching authority, taking up what dead workers left. */
async function startBackground(
  db: Db,
  deps: WorkerDeps,
  config: WorkerConfig,
  workerIds: readonly string[],
): Promise<{ stop(): Promise<void> }> {
  const { log, attempts } = deps;
  const poolId = `pool-${randomUUID()}`;
  const lostAfter = config.WORKER_LOST_AFTER_SECONDS * 1_000;
  await registerPool(db, poolId, workerIds);
  const listener = listenForAuthority({ url: config.DATABASE_URL, log }, () => attempts.recheck(db));
  const repeated = [
    every(heartbeatEvery, () => Promise.all([beatPool(db, poolId), attempts.beat(db)]), {
      log,
      what: "heartbeat",
    }),
    every(recheckEvery, () => attempts.recheck(db), { log, what: "looking at authority again" }),
    every(rescueEvery, (signal) => rescue(deps, { lostAfter, signal }), { log, what: "rescue" }),
  ];
  return {
    async stop() {
      await Promise.all([listener.stop(), ...repeated.map((each) => each.stop())]);
      await markPoolStopped(db, poolId);
    },
  };
}
