import { Logger as QueueLogger } from "graphile-worker";
import type { Logger } from "pino";

/**
 * Graphile Worker's messages in our log. Its own description of a failed job can hold anything the task threw,
 * so it is kept to debug level; what people need is logged, sanitized, by `settleFault`.
 */
export function makeQueueLogger(log: Logger): QueueLogger {
  return new QueueLogger((scope) => (level, message) => {
    const fields = { queue: scope.label, job: scope.jobId, task: scope.taskIdentifier };
    if (scope.jobId !== undefined || level === "debug" || level === "info") log.debug(fields, message);
    else if (level === "warning") log.warn(fields, message);
    else log.error(fields, message);
  });
}
