import { type DestinationStream, type Logger, pino } from "pino";
import type { SharedConfig } from "./config.ts";
import { errorForLog } from "./errorForLog.ts";

/** One logger per process, JSON on stdout. No cookies, passwords, tokens, secrets or rows reach it. */
export function makeLog(
  config: Pick<SharedConfig, "LOG_LEVEL">,
  processName: "web" | "worker",
  destination: DestinationStream = standardOutput(),
): Logger {
  const options = { name: processName, level: config.LOG_LEVEL, serializers: { err: errorForLog } };
  return pino(options, destination);
}

/**
 * Not pino's own writer: that one keeps lines back to write them later, and a process that ends while nobody reads
 * its log any more (a broken pipe) then tries to get rid of them for good. This one writes at once.
 */
function standardOutput(): DestinationStream {
  process.stdout.on("error", ignoreBrokenPipe);
  return process.stdout;
}

function ignoreBrokenPipe(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}
