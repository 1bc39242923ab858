import { createApp } from "./app.ts";
import { ConfigError, readConfig, rulesOf, settings, type WebConfig } from "./config.ts";
import { openDatabase } from "./db/database.ts";
import { makeDrain } from "./drain.ts";
import { makeLog } from "./log.ts";

/**
 * The web dyno. Requests in progress get this long (milliseconds) to end when it is told to stop: less than the
 * 30 s after which hosts kill.
 */
const graceful = 20_000;

function main(config: WebConfig): void {
  const logger = makeLog(config, "web");
  const db = openDatabase({
    url: config.DATABASE_URL,
    max: config.DATABASE_POOL_MAX,
    rules: rulesOf(config),
    onError: (error) =>
      logger.warn({ code: "code" in error ? error.code : error.name }, "a connection broke"),
  });
  const app = createApp({ db, logger, config });
  const server = app.listen({ port: config.PORT, host: config.HOST }, (error?: Error) => {
    if (error) {
      logger.fatal(
        `The web process cannot listen on port ${config.PORT}: ${error.message}. Set PORT to another.`,
      );
      process.exit(1);
    }
    logger.info({ port: config.PORT }, "web is listening");
  });

  const drain = makeDrain(server);
  const stop = async (signal: string) => {
    logger.info({ signal }, "web stopping: answering what was asked, taking nothing new");
    if (!(await drain(graceful))) {
      logger.error("web did not answer everything in time and ends as it is");
      process.exit(1);
    }
    await db.end();
    process.exit(0);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

try {
  main(readConfig(settings.web));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
