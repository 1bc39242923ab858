import type { Logger } from "pino";
import { ConfigError, readConfig, settings, type WorkerConfig } from "../server/config.ts";
import { isDatabaseAway } from "../server/db/away.ts";
import { makeLog } from "../server/log.ts";
import { startWorker } from "./startWorker.ts";

/**
 * The worker dyno. Told to stop, it has this long (milliseconds) before it ends anyway: less than the 30 s after
 * which hosts kill, and enough unless the database is gone, when the next worker takes up what was left.
 */
const stopWithin = 25_000;

try {
  const config = readConfig(settings.worker);
  await main(config, makeLog(config, "worker"));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`countersign worker: ${error.message}\n`);
  process.exit(1);
}

async function main(config: WorkerConfig, log: Logger): Promise<void> {
  process.on("unhandledRejection", (error) => outliveTheDatabase(error, log));
  const stopping = new AbortController();
  const starting = startWorker(config, log, stopping.signal);
  const stop = (why: string, code: number) => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    setTimeout(() => {
      log.error("worker did not stop in time and ends as it is");
      process.exit(1);
    }, stopWithin).unref();
    log.info({ why }, "worker stopping: finishing or handing back what runs");
    starting
      .then((worker) => worker.stop())
      .then(
        () => process.exit(code),
        (error: unknown) => {
          // It had not started yet, and so has nothing to finish.
          if (error === stopping.signal.reason) process.exit(code);
          log.error({ err: error }, "worker did not stop cleanly");
          process.exit(1);
        },
      );
  };
  process.on("SIGTERM", () => stop("SIGTERM", 0));
  process.on("SIGINT", () => stop("SIGINT", 0));
  try {
    const worker = await starting;
    log.info({ pool: worker.poolId, concurrency: config.WORKER_CONCURRENCY }, "worker started");
    await worker.ended;
  } catch (error) {
    if (stopping.signal.aborted) return;
    log.fatal({ err: error }, "the worker could not start; it has to be started again");
    process.exit(1);
  }
  if (stopping.signal.aborted) return;
  log.fatal("the queue ended by itself: this worker takes no more jobs and has to be started again");
  stop("the queue ended", 1);
}

/**
 * The queue does not wait for its own last word on a job (done, failed). When that is lost because the database
 * went away, the job stays locked and the rescuer gives it back: no reason to end the process and all its runs.
 */
function outliveTheDatabase(error: unknown, log: Logger): void {
  if (isDatabaseAway(error)) {
    log.warn({ err: error }, "the database went away under something that nobody waits for");
    return;
  }
  log.fatal({ err: error }, "the worker ends on an error that nobody caught");
  process.exit(1);
}
