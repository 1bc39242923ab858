import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Db, openDatabase } from "../../server/db/database.ts";
import { outlasting } from "../../server/db/outlasting.ts";
import { makeSandboxClient } from "../../server/demo/sandbox/client.ts";
import { type Sandbox, startSandbox } from "../../server/demo/sandbox/startSandbox.ts";
import { until } from "../helpers/interleaving.ts";
import { makeJobsDue, makeTestWorker } from "../helpers/queue.ts";
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
const lostAfter = 2;

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
    const load = await prepareLoad(installation, random, { tenants: 12, restores: 4, items: 4 });
    await load.feed(120);
    fleet = startFleet(3, {
      DATABASE_URL: cluster.url,
      GRAPH_URL: sandbox.url,
      LOGIN_URL: sandbox.url,
      WORKER_CONCURRENCY: "6",
      WORKER_LOST_AFTER_SECONDS: String(lostAfter),
    });
    const struck = { db, cluster, fleet, random, codes: [], lostAfter: lostAfter * 1_000 };
    const counts = new Map<Strike, number>();
    const order = inAnyOrder(random);
    const begun = performance.now();
    while (performance.now() - begun < seconds * 1_000) {
      await load.feed(random.whole(10, 30));
      await load.restoreNext();
      await untilMoreEffects(random.whole(10, 80));
      const strike = order();
      const t0 = performance.now();
      process.stdout.write(`${((t0 - begun) / 1000).toFixed(2)} ${strike}\n`);
      await strikes[strike](struck);
      process.stdout.write(`  took ${(performance.now() - t0).toFixed(0)}\n`);
      counts.set(strike, (counts.get(strike) ?? 0) + 1);
    }
    while (await load.restoreNext());
    console.log("over", (performance.now()-begun)/1000, fleet.workers().map((w)=>w.log().filter(l=>l.level as number >= 40).slice(0,6).map(l=>l.time+" "+l.msg+JSON.stringify(l.err??"").slice(0,150)).join("\n")).join("\n---\n"));
    await untilAllIsOver();
    const codes = await Promise.all([...struck.codes, fleet.stop()]);
    await report(counts, performance.now() - begun);
    expect(await findViolations(db)).toEqual({});
    expect(await findDifferences(db, control, load)).toEqual([]);
    expect(new Set(codes.flat())).toEqual(new Set([0]));
  },
  60_000 + seconds * 3_000,
);

async function untilMoreEffects(more: number): Promise<void> {
  const count = async () => {
    const rows = await outlasting(() =>
      db.query<{ n: number }>("select count(*)::integer as n from effects"),
    );
    return rows[0]?.n ?? 0;
  };
  const goal = (await count()) + more;
  await until(async () => (await count()) >= goal);
}

/** Retries wait longer and longer: their time has come. */
async function untilAllIsOver(): Promise<void> {
  await until(async () => {
    await makeJobsDue(db);
    if (performance.now() - (globalThis as any).last > 2000 || !(globalThis as any).last) {
      (globalThis as any).last = performance.now();
      console.log(JSON.stringify(await db.query(`select status, waiting_reason, operation, count(*)::int, max(attempt) as att, min(last_error) as e from operation_runs where status <> 'completed' group by 1,2,3`)), JSON.stringify(await db.query(`select count(*)::int as n, count(locked_at)::int as locked, min(left(last_error,60)) as e, array_agg(distinct left(locked_by,9)) from graphile_worker._private_jobs`)), JSON.stringify(await db.query(`select count(*)::int n, min(deadline-clock_timestamp())::text d from effects where state='in_flight'`)));
    }
    const open = await db.query(
      `select 1 from operation_runs where status <> 'completed'
       union all select 1 from graphile_worker.jobs where key like 'run:%' or locked_at is not null limit 1`,
    );
    return open.length === 0;
  });
}

async function report(counts: Map<Strike, number>, milliseconds: number): Promise<void> {
  const [figures] = await db.query<Record<string, number>>(
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
}
