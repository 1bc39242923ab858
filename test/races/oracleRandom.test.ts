import { beforeAll, expect, test } from "@jest/globals";
import type { TaskList } from "graphile-worker";
import { makeTaskList } from "../../jobs/taskList.ts";
import { isTransient } from "../../server/db/retrying.ts";
import type { RequestRecord } from "../../server/demo/sandbox/requestLog.ts";
import { askForBackup, askForPreview, confirm } from "../helpers/backups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";
import { makeNaiveRestore } from "./naiveRestore.ts";
import { deletePolicies, isWrite, seedPolicies, type } from "./restoring.ts";
import { whileWorking } from "./runningWorker.ts";
import { reversible } from "./ways.ts";

/**
 * The oracle left to chance: 16 restores at a time, each at a tenant of its own, and each revoked at some moment
 * or other. Short by default; `ORACLE_REVOCATIONS=3000 npm test -- test/races/oracleRandom` goes on for longer
 * and prints its figures.
 */
const isLong = process.env.ORACLE_REVOCATIONS !== undefined;
const revocationCount = Number(process.env.ORACLE_REVOCATIONS ?? "20");
const overlapping = 16;
const items = 3;
/** Milliseconds from a call's arrival to its being carried out. */
const callTakes = 50;
const mostTime = 60_000 + revocationCount * 2_000;

const installation = useInstallation();
/** By directory: every call that changes something there, as the sandbox's log has it. */
const written = new Map<string, Set<RequestRecord>>();
const tenants: { world: Northwind; setId: string }[] = [];

beforeAll(async () => {
  const { worker, url, db, sandbox } = installation;
  // Never resolves: it only looks at everything that goes by.
  void sandbox.requests.next((record) => {
    if (isWrite(record)) written.get(record.directoryId ?? "")?.add(record);
    return false;
  });
  await whileWorking(
    { url, deps: worker, tasks: makeTaskList(worker), concurrency: overlapping },
    async () => {
      for (let n = 0; n < overlapping; n += 1) {
        const world = await seedNorthwind(installation, { policies: 0 });
        await seedPolicies(installation, world, items);
        const setId = await askForBackup({ db }, world, [type]);
        await ended(setId);
        written.set(world.contoso.directoryId, new Set());
        tenants.push({ world, setId });
      }
    },
  );
}, mostTime);

test(
  "nothing is written after a revocation has returned, with 16 restores at once",
  async () => {
    const figures = await race(revocationCount, {});
    report("intend, call, settle", figures);
    expect(figures).toMatchObject({ violations: 0, untrue: 0, revocations: revocationCount });
    // Not because nothing happened: runs were stopped in the midst of writing.
    expect(figures.stoppedMidway).toBeGreaterThan(0);
  },
  mostTime,
);

test.each(["at the start", "before each call"] as const)(
  "control: a gate %s alone does let writes through after a revocation has returned",
  async (checks) => {
    const task = makeNaiveRestore(installation.worker, checks);
    // A short one goes on until it has been seen.
    const isEnough = ({ violations }: Figures) => !isLong && violations > 0;
    const figures = await race(Math.max(revocationCount, 200), { "restore.execute": task }, isEnough);
    report(`gate ${checks}`, figures);
    expect(figures.violations).toBeGreaterThan(0);
  },
  mostTime + 240_000,
);

type Figures = {
  revocations: number;
  /** Revocations after which something was still written, or on its way. */
  violations: number;
  /** Runs whose own account is not what is at the provider. */
  untrue: number;
  stoppedMidway: number;
  writes: number;
  milliseconds: number[];
};

async function race(
  revocations: number,
  variant: TaskList,
  isEnough: (figures: Figures) => boolean = () => false,
): Promise<Figures> {
  const { worker: deps, url } = installation;
  const figures = { revocations: 0, violations: 0, untrue: 0, stoppedMidway: 0, writes: 0, milliseconds: [] };
  const tasks = { ...makeTaskList(deps), ...variant };
  let begun = 0;
  await whileWorking({ url, deps, tasks, concurrency: overlapping }, async () => {
    const takeTurns = async (tenant: (typeof tenants)[number]) => {
      while (begun < revocations && !isEnough(figures)) {
        begun += 1;
        await revokeOnce(tenant, figures);
      }
    };
    await Promise.all(tenants.map(takeTurns));
  });
  return figures;
}

/** One restore, one revocation somewhere in it, and what the provider's log has before and after. */
async function revokeOnce({ world, setId }: (typeof tenants)[number], figures: Figures): Promise<void> {
  const { db, control } = installation;
  const { directoryId } = world.contoso;
  await deletePolicies(installation, world);
  const planId = await planOnce(world, setId);
  const log = new Set<RequestRecord>();
  written.set(directoryId, log);
  // A provider is some way off: so calls are on the wire for a while, as they are in earnest.
  await control.setFaults(directoryId, [
    { kind: "latency", ms: callTakes, method: "POST", path: "/deviceConfigurations" },
  ]);
  const runId = await patiently(() => confirm({ db }, world, planId, world.omar));
  const sent = Math.floor(Math.random() * items * 2);
  await until(async () => log.size >= sent || (await getRun(db, runId)).status === "completed");
  const way = reversible[Math.floor(Math.random() * reversible.length)];
  if (way === undefined) throw new Error("There is no way of revoking.");
  const start = performance.now();
  await way.revoke(db, world);
  figures.milliseconds.push(performance.now() - start);
  const arrived = log.size;
  const onTheWire = [...log].some(({ status, broken }) => status === null && !broken);
  await ended(runId);
  figures.revocations += 1;
  figures.writes += log.size;
  if (log.size > arrived || onTheWire) figures.violations += 1;
  await compare(runId, world, figures);
  await way.grant(db, world);
}

async function planOnce(world: Northwind, setId: string): Promise<string> {
  const { db } = installation;
  for (;;) {
    const planId = await patiently(() => askForPreview({ db }, world, { setId, types: [type] }));
    await ended(planId);
    if ((await getRun(db, planId)).outcome === "succeeded") return planId;
  }
}

/** A gate that does not come to its end within its bounds refuses; a machine busy with all this may take longer. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isLate = isTransient(error) || String(error).includes("Connection terminated");
      if (!isLate) throw error;
    }
  }
}

async function compare(runId: string, world: Northwind, figures: Figures): Promise<void> {
  const { db, control } = installation;
  const { outcome, tally } = await getRun(db, runId);
  const created = (await control.listPolicies(world.contoso.directoryId, type)).length;
  const [open] = await db.query<{ n: number }>(
    "select effects_unsettled as n from operation_runs where id = $1",
    [runId],
  );
  const isTrue = (tally.created ?? 0) === created && open?.n === 0;
  if (!isTrue) figures.untrue += 1;
  if (outcome === "blocked" && created > 0) figures.stoppedMidway += 1;
}

function ended(runId: string): Promise<void> {
  return until(async () => (await getRun(installation.db, runId)).status === "completed");
}

function report(name: string, figures: Figures): void {
  if (!isLong) return;
  const { revocations, violations, stoppedMidway, writes, milliseconds } = figures;
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(0);
  process.stdout.write(
    `${name}: ${violations} of ${revocations} revocations were followed by a write (${writes} writes in all, ${stoppedMidway} runs stopped midway); a revocation took p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n`,
  );
}
