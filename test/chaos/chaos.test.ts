import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Db, openDatabase } from "../../server/db/database.ts";
import { outlasting } from "../../server/db/outlasting.ts";
import { makeSandboxClient } from "../../server/demo/sandbox/client.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { makeTestWorker } from "../helpers/queue.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Fleet, startFleet } from "./fleet.ts";
import { prepareLoad } from "./load.ts";
import { findDifferences, findViolations } from "./proof.ts";
import { makeRandom } from "./random.ts";
import { inAnyOrder, type Strike, strikes } from "./strikes.ts";

/**
 * Hundreds of runs while worker processes are killed, put to sleep and stopped, and the database is restarted,
 * crashed and cut off; then nothing may be lost or doubled. Short by default; `CHAOS_SECONDS=300 npm test --
 * test/chaos/chaos` goes on for longer. `CHAOS_SEED` repeats the choices of a run, though not its timing.
 */
const seconds = Number(process.env.CHAOS_SECONDS ?? "12");
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
/** Each comes with the next strike, so that something is written for as long as it goes on. */
const restores = Math.max(3, Math.round(seconds / 8));
const lostAfter = 2;
/** How many runs there are to do at any time. */
const backlog = 120;

let cluster: Cluster;
let db: Db;
let sandbox: Sandbox;
let fleet: Fleet | undefined;

beforeAll(async () => {
  cluster = await startCluster();
  db = openDatabase({ url: cluster.url, max: 10 });
  sandbox = await startSandbox({ port: 0, directories: [] });
});
afterAll(async () => {
  await fleet?.kill();
  await sandbox.close();
  await db.end();
  await cluster.remove();
});

test(
  "whatever dies under way, every run ends, and no effect is lost or had twice",
  async () => {
    const random = makeRandom(seed);
    const control = makeSandboxClient(sandbox.url);
    const worker = makeTestWorker(db, sandbox.url);
    const installation = { db, url: cluster.url, sandbox, control, worker };
    const load = await prepareLoad(installation, random, { tenants: 12, restores, items: 3 });
    await load.feed(backlog);
    fleet = startFleet(3, {
      DATABASE_URL: cluster.url,
      GRAPH_URL: sandbox.url,
      LOGIN_URL: sandbox.url,
      WORKER_CONCURRENCY: "6",
      WORKER_LOST_AFTER_SECONDS: String(lostAfter),
    });
    const struck = { db, cluster, fleet, random, lostAfter: lostAfter * 1_000 };
    const counts = new Map<Strike, number>();
    const order = inAnyOrder(random);
    const begun = performance.now();
    // On a slow machine for longer, until each has struck.
    while (performance.now() - begun < seconds * 1_000 || counts.size < Object.keys(strikes).length) {
      await load.feed(Math.min(40, backlog - (await countOpen())));
      await load.restoreNext();
      await untilMoreEffects(random.whole(5, 60));
      const strike = order();
      await strikes[strike](struck);
      counts.set(strike, (counts.get(strike) ?? 0) + 1);
    }
    while (await load.restoreNext());
    await untilAllIsOver();
    await fleet.stop();
    const figures = await report(counts, performance.now() - begun);
    // Where nothing was lost nothing is shown.
    expect(figures.workerLost).toBeGreaterThan(0);
    expect(await findViolations(db)).toEqual({});
    expect(await findDifferences(db, control, load)).toEqual([]);
    expect(await fleet.failures()).toEqual([]);
  },
  120_000 + seconds * 3_000,
);

/** In the midst of work, or after a while on a machine too slow for that many. */
async function untilMoreEffects(more: number): Promise<void> {
  const count = () => countOf("select count(*)::integer as n from effects");
  const goal = (await count()) + more;
  const latest = performance.now() + 1_000;
  await untilSeen(async () => (await count()) >= goal || performance.now() > latest);
}

const countOpen = () =>
  countOf("select count(*)::integer as n from operation_runs where status <> 'completed'");

async function countOf(sql: string): Promise<number> {
  const rows = await outlasting(() => db.query<{ n: number }>(sql));
  return rows[0]?.n ?? 0;
}

/** Retries wait longer and longer: their time has come. */
async function untilAllIsOver(): Promise<void> {
  await untilSeen(async () => {
    await db.query(
      "update graphile_worker._private_jobs set run_at = now() where locked_at is null and run_at > now()",
    );
    const open = await db.query(
      `select 1 from operation_runs where status <> 'completed'
       union all select 1 from graphile_worker.jobs where key like 'run:%' or locked_at is not null limit 1`,
    );
    return open.length === 0;
  });
}

/** Looks less often than other tests do: here looking takes the database's time from the workers. */
async function untilSeen(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(100);
}

async function report(counts: Map<Strike, number>, milliseconds: number): Promise<{ workerLost: number }> {
  const [figures = { workerLost: 0 }] = await db.query<{ workerLost: number }>(
    `select (select count(*)::integer from operation_runs) as runs,
       (select count(*)::integer from effects) as effects,
       (select count(*)::integer from effects where kind = 'provider') as writes,
       (select count(*)::integer from audit_events where action = 'run.worker_lost') as "workerLost",
       (select count(*)::integer from audit_events where action = 'run.handed_back') as "handedBack",
       (select count(*)::integer from audit_events where action = 'run.attempt_failed') as "attemptsFailed",
       (select count(*)::integer from operation_runs where attempt > 1) as "runsTriedAgain"`,
  );
  const struck = [...counts].map(([strike, times]) => `${strike} ${times}`).join(", ");
  process.stdout.write(
    `chaos, seed ${seed}: ${(milliseconds / 1_000).toFixed(1)} s; ${struck}; ${JSON.stringify(figures)}\n`,
  );
  return figures;
}
