import { beforeEach, expect, test } from "@jest/globals";
import type { Run } from "../../server/domain/operations/run.ts";
import { RunStopped, runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { useInstallation } from "../helpers/installation.ts";
import { openSession, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { checkThenAct, createUnprotected } from "./naive.ts";

/**
 * The same races left to chance: workers that keep having effects against somebody who keeps revoking and
 * granting. Short by default; `RACE_REVOCATIONS=500 npm test -- test/races/random` goes on for longer and
 * prints its figures.
 */
const revocationCount = Number(process.env.RACE_REVOCATIONS ?? "12");
const workerCount = 24;

const installation = useInstallation({ writeGateMaxAgeHours: 24, tenantConcurrency: workerCount });
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

type Toggle = { revoke: string; grant: string; id: (world: Northwind) => string };
const toggles: Toggle[] = [
  {
    revoke: "update users set status = 'disabled' where id = $1",
    grant: "update users set status = 'active' where id = $1",
    id: ({ omar }) => omar.id,
  },
  {
    revoke: "update role_assignments set expires_at = clock_timestamp() where user_id = $1",
    grant: "update role_assignments set expires_at = null where user_id = $1",
    id: ({ omar }) => omar.id,
  },
  {
    revoke: `update roles set capabilities = array_remove(capabilities, 'inventory.sync') where workspace_id = $1 and key = 'operator'`,
    grant: `update roles set capabilities = array_append(capabilities, 'inventory.sync') where workspace_id = $1 and key = 'operator'`,
    id: ({ northwind }) => northwind.id,
  },
  {
    revoke: "update tenants set lifecycle = 'suspended' where id = $1",
    grant: "update tenants set lifecycle = 'active' where id = $1",
    id: ({ contoso }) => contoso.id,
  },
];

test(
  "no effect is committed after a revocation has returned, with 24 workers at once",
  async () => {
    const { db } = installation;
    const figures = await race(protectedWorker, "select count(*)::integer as n from effects");
    report("protected", figures);
    expect(figures.violations).toBe(0);
    expect(figures.revocations).toBe(revocationCount);
    // Not because nothing happened: effects there were, and runs that were stopped.
    const [seen] = await db.query<{ effects: number; blocked: number }>(
      `select (select count(*)::integer from effects) as effects,
         (select count(*)::integer from operation_runs where outcome = 'blocked' and effects_done > 0) as blocked`,
    );
    expect(seen?.effects).toBeGreaterThan(revocationCount);
    expect(seen?.blocked).toBeGreaterThan(0);
  },
  60_000 + revocationCount * 1_000,
);

test(
  "control: workers that check and then act do commit after a revocation has returned",
  async () => {
    await installation.db.query(createUnprotected);
    const figures = await race(naiveWorker, "select count(*)::integer as n from unprotected_effects");
    report("check-then-act", figures);
    expect(figures.violations).toBeGreaterThan(0);
  },
  60_000 + revocationCount * 1_000,
);

type Race = { over: boolean; tried: number };
type Figures = { revocations: number; violations: number; milliseconds: number[] };

async function race(worker: (race: Race) => Promise<void>, countEffects: string): Promise<Figures> {
  const state: Race = { over: false, tried: 0 };
  const workers = Array.from({ length: workerCount }, () => worker(state));
  const figures: Figures = { revocations: 0, violations: 0, milliseconds: [] };
  const count = async () => (await installation.db.query<{ n: number }>(countEffects))[0]?.n ?? 0;
  const session = await openSession(installation.url);
  for (let round = 0; round < revocationCount; round += 1) {
    const toggle = toggles[round % toggles.length];
    if (toggle === undefined) break;
    await triedBy(state, workerCount * 2);
    const start = performance.now();
    await session.query(toggle.revoke, [toggle.id(world)]);
    figures.milliseconds.push(performance.now() - start);
    const returned = await count();
    await triedBy(state, workerCount);
    if ((await count()) > returned) figures.violations += 1;
    figures.revocations += 1;
    await session.query(toggle.grant, [toggle.id(world)]);
  }
  state.over = true;
  await Promise.all(workers);
  await session.end();
  return figures;
}

/** Until the workers together have tried so often again, however long that takes them. */
async function triedBy(state: Race, more: number): Promise<void> {
  const goal = state.tried + more;
  await until(async () => state.tried >= goal);
}

/** What an effect does meanwhile; the same in both, so that only the protection differs. */
const work = "select pg_sleep(0.003)";

async function protectedWorker(state: Race): Promise<void> {
  let run: Run | undefined;
  for (let n = 0; !state.over; n += 1) {
    try {
      run ??= await beginSync(installation, world, `job ${Math.random()}`);
      await runEffect(installation.db, run, { name: `effect ${n}`, perAttempt: false }, async (tx) => {
        await tx.query(work);
        return { items: 1, counts: {} };
      });
    } catch (error) {
      if (!isDenial(error)) throw error;
      run = undefined;
    }
    state.tried += 1;
  }
}

async function naiveWorker(state: Race): Promise<void> {
  const session = await openSession(installation.url);
  const run = await beginSync(installation, world, `job ${Math.random()}`);
  while (!state.over) {
    await checkThenAct(session, run, async () => {
      await session.query(work);
    });
    state.tried += 1;
  }
  await session.end();
}

function isDenial(error: unknown): boolean {
  if (error instanceof RunStopped) return true;
  return error instanceof Error && /^The (request was refused|run did not begin)/.test(error.message);
}

function report(name: string, { revocations, violations, milliseconds }: Figures): void {
  if (process.env.RACE_REVOCATIONS === undefined) return;
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(1);
  process.stdout.write(
    `${name}: ${violations} of ${revocations} revocations were followed by an effect; a revocation took p50 ${at(0.5)} ms, p99 ${at(0.99)} ms\n`,
  );
}
