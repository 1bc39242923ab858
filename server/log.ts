import { type DestinationStream, type Logger, pino } from "pino";
import type { SharedConfig } from "./config.ts";
import { errorForLog } from "./errorForLog.ts";

/** One logger per process, JSON on stdout. No cookies, passwords, tokens, secrets or rows reach it. */
export function makeLog(
  config: Pick<SharedConfig, "LOG_LEVEL">,
  processName: "web" | "worker",
  destination: DestinationStream = pino.destination(1),
): Logger {
  const options = { name: processName, level: config.LOG_LEVEL, serializers: { err: errorForLog } };
  return pino(options, destination);
}
