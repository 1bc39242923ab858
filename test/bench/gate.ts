import { run, type TaskList } from "graphile-worker";
import pg from "pg";
import { pino } from "pino";
import { makeWorkerDeps, type WorkerDeps } from "../../jobs/deps.ts";
import { makeQueueLogger } from "../../jobs/queueLogger.ts";
import { withReauthorization } from "../../jobs/withReauthorization.ts";
import { type Db, workerBounds } from "../../server/db/database.ts";
import { retrying } from "../../server/db/retrying.ts";
import { storeCredential } from "../../server/domain/connections/storeCredential.ts";
import { beginAttempts } from "../../server/domain/operations/beginAttempts.ts";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";
import {
  createConnection,
  createMember,
  createTenant,
  createWorkspace,
  type TestUser,
  type TestWorkspace,
} from "../helpers/factories.ts";
import { tryRequest } from "../helpers/northwind.ts";
import { credentialKeys } from "../helpers/queue.ts";
import { withDatabase } from "./installation.ts";

const operation = "inventory.sync";
const concurrency = 100;
/** As many as there are jobs at a time: none waits for another's turn at its tenant. */
const manyTenants = concurrency;

/**
 * The cost of re-authorizing: the same queue and settings with a task that does nothing, with a transaction
 * of its own for every gate and ending, and as the worker does it, where deliveries share them. Beginnings at one
 * tenant take turns, so each is measured at one tenant and at many.
 */
export async function benchGate(jobs: number): Promise<void> {
  await withDatabase(async (db, url) => {
    const deps = makeWorkerDeps({
      db,
      credentialKeys,
      log: pino({ level: "silent" }),
      provider: makeGraphProvider({ graphUrl: "http://localhost:1", loginUrl: "http://localhost:1" }),
    });
    const task = withReauthorization(operation, async () => ({ outcome: "succeeded" }));
    const rates: [string, number][] = [
      ["bare Graphile Worker", await measure(db, url, { jobs, tenants: 1 }, async () => {})],
    ];
    for (const tenants of [manyTenants, 1]) {
      const at = tenants === 1 ? "at one tenant" : `at ${tenants} tenants`;
      const single = await measure(db, url, { jobs, tenants }, task.bind(alone(deps)));
      const shared = await measure(db, url, { jobs, tenants }, task.bind(deps));
      rates.push(
        [`a gate transaction per job, ${at}`, single],
        [`ours: gates shared by a batch, ${at}`, shared],
      );
    }
    const [, [, unit] = ["", 1]] = rates;
    console.log(
      `${jobs} jobs each, ${concurrency} at a time; the last column is relative to the second line`,
    );
    for (const [name, rate] of rates)
      console.log(`${name.padEnd(50)} ${rate.toFixed(0).padStart(7)} jobs/s   ${(rate / unit).toFixed(2)}`);
  });
}

/** The same worker without sharing: what every job would cost by itself. */
function alone(deps: WorkerDeps): WorkerDeps {
  return {
    ...deps,
    async begin(delivery) {
      const begun = await retrying(() =>
        deps.db.transaction((tx) => beginAttempts(tx, [delivery]), workerBounds),
      );
      return begun[0] ?? { kind: "absent" };
    },
    async finish(ending) {
      const ended = await retrying(() => deps.db.transaction((tx) => finishRuns(tx, [ending]), workerBounds));
      return ended.has(ending.run.id);
    },
  };
}

type Load = { jobs: number; tenants: number };

async function measure(
  db: Db,
  url: string,
  { jobs, tenants }: Load,
  task: TaskList[string],
): Promise<number> {
  await enqueueMany(db, { jobs, tenants });
  const pgPool = new pg.Pool({ connectionString: url, max: 10 });
  pgPool.on("error", () => {});
  pgPool.on("connect", (client) => client.on("error", () => {}));
  let done = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const start = performance.now();
  const runner = await run({
    pgPool,
    noHandleSignals: true,
    parsedCronItems: [],
    logger: makeQueueLogger(pino({ level: "silent" })),
    taskList: {
      [operation]: async (payload, helpers) => {
        await task?.(payload, helpers);
        done += 1;
        if (done === jobs) finish();
      },
    },
    preset: {
      worker: { concurrentJobs: concurrency, localQueue: { size: 500 }, completeJobBatchDelay: 0 },
    },
  });
  await finished;
  const seconds = (performance.now() - start) / 1_000;
  await runner.stop();
  await pgPool.end();
  return jobs / seconds;
}

/** Runs that are alike, made from one real request: requesting is not what is measured. */
async function enqueueMany(db: Db, { jobs, tenants }: Load): Promise<void> {
  const workspace = await createWorkspace(db);
  const initiator = await createMember(db, { workspace, role: "operator" });
  const models = [];
  for (let made = 0; made < tenants; made += 1) models.push(await requestModel(db, workspace, initiator));
  await db.query("delete from graphile_worker._private_jobs");
  await db.query(
    `with made as (
       insert into operation_runs
       select copy.* from generate_series(1, $2) as n
       join operation_runs model on model.id = ($1::uuid[])[1 + n % cardinality($1::uuid[])]
       cross join lateral jsonb_populate_record(model,
         jsonb_build_object('id', md5(n || random()::text)::uuid)) as copy
       returning id, operation, max_attempts)
     select count(*) from graphile_worker.add_jobs((
       select array_agg(row(operation, json_build_object('runId', id), null, null, max_attempts,
         'run:' || id, null, null)::graphile_worker.job_spec) from made))`,
    [models, jobs],
  );
  await db.query("delete from operation_runs where id = any ($1::uuid[])", [models]);
  await db.query("analyze");
}

/** A run of a tenant of its own, to be copied. */
async function requestModel(db: Db, workspace: TestWorkspace, initiator: TestUser): Promise<string> {
  const tenant = await createTenant(db, { workspace });
  const connection = await createConnection(db, { tenant });
  await db.transaction((tx) =>
    storeCredential(tx, credentialKeys, {
      connectionId: connection.id,
      version: 1,
      proof: { kind: "secret", secret: "unused" },
    }),
  );
  const outcome = await tryRequest(db, initiator, operation, tenant);
  if (outcome.kind !== "stored") throw new Error("The model's request was refused.");
  return outcome.runId;
}
