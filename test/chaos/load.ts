import { outlasting } from "../../server/db/outlasting.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { addTenant, askForBackup, confirm, putDirectory } from "../helpers/backups.ts";
import { requestSyncOf } from "../helpers/bulk.ts";
import type { TestTenant } from "../helpers/factories.ts";
import type { Installation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { aRequest } from "../helpers/requests.ts";
import { planRestore, type } from "../races/restoring.ts";
import type { Random } from "./random.ts";

/** What there is to do: many tenants that are read, some that are written to. */
export type Load = {
  /** Asks for so many runs more. */
  feed(runs: number): Promise<void>;
  /** Asks for the next of the restores that were prepared; false once all were. */
  restoreNext(): Promise<boolean>;
  tenants: readonly TestTenant[];
  restored: readonly { tenant: TestTenant; names: string[] }[];
};

export const policiesPerTenant = 6;
const types = ["deviceConfigurations", "deviceCompliancePolicies"] as const;

export async function prepareLoad(
  installation: Installation,
  random: Random,
  size: { tenants: number; restores: number; items: number },
): Promise<Load> {
  const { control } = installation;
  const world = await seedNorthwind(installation, { policies: policiesPerTenant });
  const tenants = [world.contoso];
  while (tenants.length < size.tenants) {
    const tenant = await addTenant(installation, world, `Tenant ${tenants.length + 1}`);
    await putDirectory(installation, tenant, { policies: policiesPerTenant });
    tenants.push(tenant);
  }
  const plans: { world: Northwind; planId: string }[] = [];
  while (plans.length < size.restores) {
    const restoring = await seedNorthwind(installation, { policies: 0 });
    plans.push({ world: restoring, planId: await planRestore(installation, restoring, size.items) });
  }
  const restoring = plans.map((plan) => plan.world.contoso);
  // A provider far away, so that what strikes strikes in the middle of something.
  for (const { directoryId } of [...tenants, ...restoring])
    await control.setFaults(directoryId, [{ kind: "latency", ms: 40 }]);
  const waiting = plans.values();
  return {
    tenants,
    restored: restoring.map((tenant) => ({
      tenant,
      names: Array.from({ length: size.items }, (_, item) => `Policy ${item + 1}`),
    })),
    async feed(runs) {
      for (let fed = 0; fed < runs; fed += 1)
        await outlasting(() => askForOne(installation, world, tenants, random));
      await endure(installation);
    },
    async restoreNext() {
      const { value: plan } = waiting.next();
      if (plan === undefined) return false;
      await outlasting(() => confirm(installation, plan.world, plan.planId, plan.world.omar));
      await endure(installation);
      return true;
    },
  };
}

/** Mostly syncs, now and then a backup or a sync of all tenants. */
async function askForOne(
  installation: Installation,
  world: Northwind,
  tenants: readonly TestTenant[],
  random: Random,
): Promise<void> {
  const tenant = random.pick(tenants);
  const kind = random.whole(1, 60);
  if (kind === 1) await requestSyncOf(installation, world, world.omar, tenants);
  else if (kind <= 6) await askForBackup(installation, world, [type], tenant);
  else
    await requestRun(
      installation.db,
      aRequest(world, { tenantId: tenant.id, target: { types: [...types] } }),
    );
}

/** Here nothing may fail of having been struck often: how often a run is tried is not what is tested. */
async function endure({ db }: Pick<Installation, "db">): Promise<void> {
  await outlasting(() =>
    db.query("update operation_runs set max_attempts = 100 where status <> 'completed'"),
  );
}
