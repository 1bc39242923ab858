import { run, type TaskList } from "graphile-worker";
import pg from "pg";
import { listenForAuthority } from "../../jobs/authorityListener.ts";
import type { WorkerDeps } from "../../jobs/deps.ts";
import { makeQueueLogger } from "../../jobs/queueLogger.ts";

/** Work goes on as in a worker process, so many jobs at once and with its ear to changes of authority, during `work`. */
export async function whileWorking(
  { url, deps, tasks, concurrency }: { url: string; deps: WorkerDeps; tasks: TaskList; concurrency: number },
  work: () => Promise<void>,
): Promise<void> {
  const pgPool = new pg.Pool({ connectionString: url, max: 8 });
  const ignore = () => {};
  pgPool.on("error", ignore);
  pgPool.on("connect", (client) => client.on("error", ignore));
  const listener = listenForAuthority({ url, log: deps.log }, () => deps.attempts.recheck(deps.db));
  const runner = await run({
    pgPool,
    taskList: tasks,
    parsedCronItems: [],
    noHandleSignals: true,
    logger: makeQueueLogger(deps.log),
    preset: { worker: { concurrentJobs: concurrency, pollInterval: 200 } },
  });
  try {
    await work();
  } finally {
    await runner.stop();
    await listener.stop();
    await pgPool.end();
  }
}
