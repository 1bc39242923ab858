import { randomUUID } from "node:crypto";
import { run } from "graphile-worker";
import pg from "pg";
import type { Logger } from "pino";
import type { WorkerConfig } from "../server/config.ts";
import { openDatabase } from "../server/db/database.ts";
import { makeGraphProvider } from "../server/provider/graph/makeGraphProvider.ts";
import { makeWorkerDeps } from "./deps.ts";
import { beatPool, markPoolStopped, registerPool } from "./pool.ts";
import { makeQueueLogger } from "./queueLogger.ts";
import { makeTaskList } from "./taskList.ts";

/** How often (milliseconds) the process and its runs show that they are alive. */
const heartbeatEvery = 10_000;
/** How long (milliseconds) runs may finish after a stop was asked for, before they are handed back. */
const finishWithin = 10_000;

export type Worker = { stop(): Promise<void>; stopped: Promise<void> };

/** Starts a worker: queue, tasks, heartbeat. `stop` takes no more jobs and finishes or hands back what runs. */
export async function startWorker(config: WorkerConfig, log: Logger): Promise<Worker> {
  const onError = (error: Error) => log.warn({ err: error }, "database connection lost; it will be replaced");
  const db = openDatabase({ url: config.DATABASE_URL, max: config.DATABASE_POOL_MAX, onError });
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
  const poolId = `pool-${randomUUID()}`;
  await registerPool(db, poolId);
  const runner = await run({
    pgPool: queuePool,
    taskList: makeTaskList(deps),
    parsedCronItems: [],
    noHandleSignals: true,
    logger: makeQueueLogger(log),
    preset: {
      worker: {
        concurrentJobs: config.WORKER_CONCURRENCY,
        pollInterval: 1_000,
        gracefulShutdownAbortTimeout: finishWithin,
      },
    },
  });
  const heartbeat = setInterval(() => {
    Promise.all([beatPool(db, poolId), deps.attempts.beat(db)]).catch((error: unknown) =>
      log.warn({ err: error }, "heartbeat could not be written"),
    );
  }, heartbeatEvery);
  const close = async () => {
    clearInterval(heartbeat);
    await markPoolStopped(db, poolId);
    await Promise.all([db.end(), queuePool.end()]);
  };
  return {
    stop: async () => {
      await runner.stop("asked to stop");
      await close();
    },
    stopped: runner.promise,
  };
}
