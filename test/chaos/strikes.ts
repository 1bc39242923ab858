import type { Db } from "../../server/db/database.ts";
import { outlasting } from "../../server/db/outlasting.ts";
import type { ProductProcess } from "../helpers/productProcess.ts";
import type { Cluster } from "./cluster.ts";
import { type Fleet, poolOf } from "./fleet.ts";
import type { Random } from "./random.ts";

/** What goes wrong, by name. */
export const strikes = {
  "worker killed": async ({ db, fleet, random }) => {
    const worker = random.pick(await untilAtWork(db, fleet));
    worker.child.kill("SIGKILL");
    await worker.ended;
    fleet.replace(worker);
    await passDeadlinesOf(db, poolOf(worker));
  },
  "worker told to stop": async ({ fleet, random }) => {
    const worker = random.pick(fleet.workers());
    // It finishes or hands back while the others and what strikes next go on.
    void worker.stop();
    fleet.replace(worker);
  },
  "worker asleep": async ({ db, fleet, random, lostAfter }) => {
    const worker = random.pick(fleet.workers());
    worker.child.kill("SIGSTOP");
    // It wakes when the others have given it up, in the midst of what strikes next.
    await untilGivenUp(db, poolOf(worker), lostAfter);
    worker.child.kill("SIGCONT");
  },
  "database restarted": async ({ cluster }) => {
    await cluster.stop();
    await cluster.start();
  },
  "database crashed": async ({ cluster }) => {
    await cluster.crash();
    await cluster.start();
  },
  "connections dropped": async ({ db }) => {
    await outlasting(() =>
      db.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where pid <> pg_backend_pid() and backend_type = 'client backend'`,
      ),
    );
  },
} as const satisfies Record<string, (world: Struck) => Promise<void>>;

export type Strike = keyof typeof strikes;

export type Struck = {
  db: Db;
  cluster: Cluster;
  fleet: Fleet;
  random: Random;
  /** Milliseconds. */
  lostAfter: number;
};

const names: readonly Strike[] = [
  "worker killed",
  "worker told to stop",
  "worker asleep",
  "database restarted",
  "database crashed",
  "connections dropped",
];

/** Each of them once in any order, then left to chance, killing more often than the rest. */
export function inAnyOrder(random: Random): () => Strike {
  const left = [...names];
  return () => {
    if (left.length === 0) return random.pick([...names, "worker killed", "worker killed"]);
    const next = random.pick(left);
    left.splice(left.indexOf(next), 1);
    return next;
  };
}

/**
 * What was on the wire when its worker was killed cannot be sent any more. So that nobody has to wait for its
 * deadline (20 s), it is made to have passed; past the triggers, which let nobody do so.
 */
async function passDeadlinesOf(db: Db, pool: string | null): Promise<void> {
  const owned = `select e.run_id, e.key from effects e
    join operation_runs r on r.id = e.run_id and r.fencing_token = e.fencing_token
    join graphile_worker._private_jobs j on j.id::text = r.job_id
    where e.state = 'in_flight' and j.locked_by = '${pool}'`;
  if ((await outlasting(() => db.query(owned))).length === 0) return;
  await outlasting(() =>
    db.query(
      `begin;
       alter table effects disable trigger effects_keep_their_history;
       alter table effects disable trigger effects_backstop_again;
       update effects set deadline = clock_timestamp() where (run_id, key) in (${owned});
       alter table effects enable always trigger effects_keep_their_history;
       alter table effects enable always trigger effects_backstop_again;
       commit`,
    ),
  );
}

/** Those in the midst of a run: to kill one that has nothing to do shows nothing. */
async function untilAtWork(db: Db, fleet: Fleet): Promise<readonly ProductProcess[]> {
  const end = performance.now() + 10_000;
  for (;;) {
    const rows = await outlasting(() =>
      db.query<{ pool: string }>(
        `select distinct j.locked_by as pool from graphile_worker._private_jobs j
         join operation_runs r on r.job_id = j.id::text where r.status = 'running'`,
      ),
    );
    const pools = new Set<string | null>(rows.map(({ pool }) => pool));
    const busy = fleet.workers().filter((worker) => pools.has(poolOf(worker)));
    if (busy.length > 0) return busy;
    if (performance.now() > end) return fleet.workers();
  }
}

async function untilGivenUp(db: Db, pool: string | null, lostAfter: number): Promise<void> {
  const end = performance.now() + 3 * lostAfter;
  while (pool !== null && performance.now() < end) {
    const lost = await outlasting(() =>
      db.query("select 1 from worker_pools where pool_id = $1 and lost_at is not null", [pool]),
    );
    if (lost.length > 0) return;
  }
}
