import type { Db } from "../../server/db/database.ts";
import type { SandboxClient } from "../../server/demo/sandbox/client.ts";
import type { PolicyType } from "../../server/provider/policyTypes.ts";
import { addTenant, askForBackup, askForPreview, confirm, putDirectory } from "../helpers/backups.ts";
import type { TestTenant } from "../helpers/factories.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { withDatabase } from "./installation.ts";
import { type Measured, withWorker } from "./workerProcess.ts";

const types = [
  "deviceConfigurations",
  "deviceCompliancePolicies",
  "configurationPolicies",
] as const satisfies PolicyType[];
const groups = [
  { id: "11111111-0000-4000-8000-000000000001", displayName: "All staff" },
  { id: "11111111-0000-4000-8000-000000000002", displayName: "Pilot devices" },
];

type Bench = Measured & { db: Db; world: Northwind };
type Restored = { peak: number; seconds: number; reads: number; writes: number };

/** At most so much may a worker grow (MB) from a restore of a hundred items to one of two thousand. */
const mostGrowth = 64;

/**
 * What a restore costs: memory by its size, calls at the provider by item, and how fast it is, for one tenant
 * and for four at once. Half of the items are created, half are changed.
 */
export async function benchRestore(): Promise<void> {
  await withDatabase((db, url) =>
    withWorker(db, url, async (measured) => {
      const world = await seedNorthwind({ db, control: measured.control }, { policies: 0 });
      const bench = { ...measured, db, world };
      const tenants = [world.contoso];
      for (const name of ["Second", "Third", "Fourth"])
        tenants.push(await addTenant({ db, control: measured.control }, world, name));
      // The first ones load code and warm caches; what a process needs anyway is not growth.
      for (let n = 0; n < 3; n += 1) await restoreAt(bench, [world.contoso], 100);
      const small = await restoreAt(bench, [world.contoso], 100);
      const large = await restoreAt(bench, [world.contoso], 2_000);
      reportMemory(small, large);
      reportCalls(large, 2_000);
      const single = await restoreAt(bench, [world.contoso], 250);
      const fourfold = await restoreAt(bench, tenants, 250);
      reportSpeed(250 / single.seconds, 1_000 / fourfold.seconds);
    }),
  );
}

function reportMemory(small: Restored, large: Restored): void {
  console.log(`restore of   100 items: peak ${small.peak.toFixed(1)} MB resident`);
  console.log(`restore of 2,000 items: peak ${large.peak.toFixed(1)} MB resident`);
  console.log(`growth: ${(large.peak - small.peak).toFixed(1)} MB (at most ${mostGrowth} MB is promised)`);
  if (large.peak - small.peak >= mostGrowth) process.exitCode = 1;
}

function reportCalls({ reads, writes }: Restored, items: number): void {
  const each = (calls: number) => (calls / items).toFixed(2);
  console.log(
    `calls per item: ${each(reads + writes)}, of them ${each(reads)} reading and ${each(writes)} writing`,
  );
}

function reportSpeed(one: number, four: number): void {
  console.log(`1 tenant, one item at a time:            ${one.toFixed(1)} items/s   1.00`);
  console.log(
    `4 tenants at once, one item at a time each: ${four.toFixed(1)} items/s   ${(four / one).toFixed(2)}`,
  );
}

/** Restores so many items at each tenant, all at the same time; what is measured is the restores alone. */
async function restoreAt(bench: Bench, tenants: readonly TestTenant[], items: number): Promise<Restored> {
  const plans: string[] = [];
  for (const tenant of tenants) plans.push(await planAt(bench, tenant, items));
  await bench.control.clearRequests();
  const runs: string[] = [];
  const start = performance.now();
  for (const planId of plans) runs.push(await confirm(bench, bench.world, planId));
  const peak = await bench.peakUntilDone(runs);
  const seconds = (performance.now() - start) / 1_000;
  const asked = (await bench.control.requests()).filter(({ kind }) => kind === "graph");
  const isBatch = ({ path }: { path: string }) => path.endsWith("/$batch");
  // A batch is one call, whatever it holds.
  const calls = asked.filter(({ inBatch }) => !inBatch);
  const writes = calls.filter((call) => call.method !== "GET" && !isBatch(call)).length;
  return { peak, seconds, reads: calls.length - writes, writes };
}

/** A directory that is backed up; then every other policy is deleted, the rest is changed, and that is previewed. */
async function planAt(bench: Bench, tenant: TestTenant, items: number): Promise<string> {
  const { world, control, peakUntilDone } = bench;
  await putDirectory(bench, tenant, { policies: items, groups });
  const setId = await askForBackup(bench, world, types, tenant);
  await peakUntilDone([setId]);
  for (const type of types) await disturb(control, tenant, type);
  const planId = await askForPreview(bench, world, { setId, tenant, types });
  await peakUntilDone([planId]);
  return planId;
}

async function disturb(control: SandboxClient, { directoryId }: TestTenant, type: PolicyType): Promise<void> {
  for (const [index, { id, payload, assignments }] of (
    await control.listPolicies(directoryId, type)
  ).entries()) {
    if (index % 2 === 0) await control.removePolicy(directoryId, type, id);
    else await control.putPolicy(directoryId, type, id, { ...payload, description: "changed" }, assignments);
  }
}
