import { ConfigError, readConfig, settings } from "../server/config.ts";
import { makeLog } from "../server/log.ts";
import { startWorker } from "./startWorker.ts";

/** The worker dyno. */
try {
  const config = readConfig(settings.worker);
  const log = makeLog(config, "worker");
  const worker = await startWorker(config, log);
  log.info({ concurrency: config.WORKER_CONCURRENCY }, "worker started");
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
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
