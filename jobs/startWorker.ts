import type { Logger } from "pino";
import { rulesOf, type WorkerConfig } from "../server/config.ts";
import { openDatabase } from "../server/db/database.ts";
import { makeGraphProvider } from "../server/provider/graph/makeGraphProvider.ts";
import { listenForAuthority } from "./authorityListener.ts";
import { makeWorkerDeps, type WorkerDeps } from "./deps.ts";
import { every } from "./every.ts";
import { makeInTouch } from "./inTouch.ts";
import { rescue } from "./maintenance/rescue.ts";
import { settleAbandoned } from "./maintenance/settleAbandoned.ts";
import { beatPool, markPoolStopped } from "./pool.ts";
import { startQueue } from "./startQueue.ts";
import { recorderOf } from "./taskList.ts";

/** How often (milliseconds) the process and its runs show that they are alive, and it looks for others that do not. */
const heartbeatEvery = 10_000;
/** How often (milliseconds) running work is looked at again even when no change of authority was heard of. */
const recheckEvery = 5_000;
/** How long (milliseconds) a database that is away when it starts is waited for: a restart, a failover. */
const patience = 60_000;
/** How often (milliseconds) calls are looked for that nobody has settled. */
const settleEvery = 10_000;

export type Worker = {
  /** The queue's name for this process, as in its log and in `worker_pools`. */
  poolId: string;
  /** Settles when its queue has ended, asked to or not: it takes no jobs any more. */
  ended: Promise<void>;
  stop(): Promise<void>;
};

/**
 * Starts a worker: queue, tasks, heartbeat. `stop` takes no more jobs and finishes or hands back what runs. A
 * database that does not answer yet is waited for, until the signal says that there is no need any more.
 */
export async function startWorker(config: WorkerConfig, log: Logger, signal: AbortSignal): Promise<Worker> {
  const onError = (error: Error) => log.warn({ err: error }, "database connection lost; it will be replaced");
  const db = openDatabase({
    url: config.DATABASE_URL,
    max: config.DATABASE_POOL_MAX,
    rules: rulesOf(config),
    onError,
  });
  const deps = makeWorkerDeps({
    db,
    credentialKeys: config.CREDENTIAL_KEYS,
    provider: makeGraphProvider({ graphUrl: config.GRAPH_URL, loginUrl: config.LOGIN_URL }),
    log,
  });
  const queue = await startQueue(deps, config, { log, signal, patience, onError });
  const { poolId, ended } = queue;
  const background = startBackground(deps, config, poolId);
  return {
    poolId,
    ended,
    async stop() {
      await Promise.all([queue.stop(), background.stopLooking()]);
      await background.stop();
      await markPoolStopped(db, poolId);
      await db.end();
    },
  };
}

/** What goes on beside the queue: signs of life, watching authority, taking up what dead workers left. */
function startBackground(deps: WorkerDeps, config: WorkerConfig, poolId: string) {
  const { db, log, attempts } = deps;
  const lostAfter = config.WORKER_LOST_AFTER_SECONDS * 1_000;
  // Four chances to show that one is alive, however soon one counts as lost.
  const pause = Math.min(heartbeatEvery, lostAfter / 4);
  const inTouch = makeInTouch(log);
  const beat = () => inTouch.during(() => Promise.all([beatPool(db, poolId), attempts.beat(db)]));
  const look = async () => {
    if (inTouch.since() > 2 * pause) await rescue(deps, { lostAfter });
  };
  const listener = listenForAuthority({ url: config.DATABASE_URL, log }, () => attempts.recheck(db));
  const alive = [
    every(pause, beat, { log, what: "heartbeat" }),
    every(recheckEvery, () => attempts.recheck(db), { log, what: "looking at authority again" }),
  ];
  // Apart from each other: asking a provider that does not answer must not keep lost runs waiting.
  const looking = [
    every(pause, look, { log, what: "rescue" }),
    every(settleEvery, (signal) => settleAbandoned(deps, { recorderOf, signal }), {
      log,
      what: "settling abandoned calls",
    }),
  ];
  return {
    async stopLooking() {
      await Promise.all(looking.map((each) => each.stop()));
    },
    async stop() {
      await Promise.all([listener.stop(), ...alive.map((each) => each.stop())]);
    },
  };
}
