import { ConfigError, readConfig, settings } from "../server/config.ts";
import { makeLog } from "../server/log.ts";
import { startWorker } from "./startWorker.ts";

/**
 * The worker dyno. Told to stop, it has this long (milliseconds) before it ends anyway: less than the 30 s after
 * which hosts kill, and enough unless the database is gone, when the next worker takes up what was left.
 */
const stopWithin = 25_000;

try {
  const config = readConfig(settings.worker);
  const log = makeLog(config, "worker");
  const worker = await startWorker(config, log);
  log.info({ concurrency: config.WORKER_CONCURRENCY }, "worker started");
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      log.error("worker did not stop in time and ends as it is");
      process.exit(1);
    }, stopWithin).unref();
    log.info({ signal }, "worker stopping: finishing or handing back what runs");
    worker.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, "worker did not stop cleanly");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`countersign worker: ${error.message}\n`);
  process.exit(1);
}
