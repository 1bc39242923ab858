import { Logger as QueueLogger } from "graphile-worker";
import type { Logger } from "pino";

/**
 * Graphile Worker's messages in our log. Its own description of a failed job can hold anything the task threw,
 * so it is kept to debug level; what people need is logged, sanitized, by `settleFault`.
 */
export function makeQueueLogger(log: Logger): QueueLogger {
  return new QueueLogger((scope) => (level, message) => {
    const fields = { queue: scope.label, job: scope.jobId, task: scope.taskIdentifier };
    const isQuiet = level === "debug" || level === "info" || smallPool.test(message);
    if (scope.jobId !== undefined || isQuiet) log.debug(fields, message);
    else if (level === "warning") log.warn(fields, message);
    else log.error(fields, message);
  });
}

/** It is smaller than the number of jobs on purpose: they take long, and the queue's own words about them do not. */
const smallPool = /maxPoolSize \(\d+\) smaller than concurrency/;
