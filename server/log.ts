import { type Logger, pino } from "pino";
import type { SharedConfig } from "./config.ts";

/** One logger per process, JSON on stdout. Cookies, passwords, tokens and secrets never reach it. */
export function makeLog(config: SharedConfig, processName: "web" | "worker"): Logger {
  return pino({
    name: processName,
    level: config.LOG_LEVEL,
    redact: ["req.headers.cookie", "req.headers.authorization", 'res.headers["set-cookie"]'],
  });
}
