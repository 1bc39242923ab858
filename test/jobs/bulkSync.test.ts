import { beforeEach, describe, expect, test } from "@jest/globals";
import { awaitChildren } from "../../server/domain/operations/awaitChildren.ts";
import { cancelChildren, cancelRun } from "../../server/domain/operations/cancelRun.ts";
import { requeueLostRuns } from "../../server/domain/operations/rescueRuns.ts";
import { addTenant, putDirectory } from "../helpers/backups.ts";
import { requestSyncOf } from "../helpers/bulk.ts";
import { addMember, createMember, type TestTenant, type TestUser } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, untilSessionsWait } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeJobsDue } from "../helpers/queue.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../helpers/records.ts";

const installation = useInstallation();
let world: Northwind;
let tenants: TestTenant[];

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 3 });
  tenants = [world.contoso];
  for (const name of ["Fabrikam", "Adatum"]) {
    const tenant = await addTenant(installation, world, name);
    await putDirectory(installation, tenant, { policies: 3 });
    tenants.push(tenant);
  }
});

const request = (person: TestUser = world.omar) => requestSyncOf(installation, world, person, tenants);

type Child = { id: string; tenantId: string; outcome: string; trigger: string; initiatorId: string | null };

function children(parentId: string): Promise<Child[]> {
  return installation.db.query<Child>(
    `select id, tenant_id as "tenantId", outcome, trigger, initiator_id as "initiatorId" from operation_runs
     where parent_run_id = $1 order by id`,
    [parentId],
  );
}

/** Works the parent's own job off and leaves its children queued. */
async function askForChildren(parentId: string): Promise<void> {
  const { db, worker } = installation;
  await holdQueue("inventory.sync");
  await drainQueue(worker);
  await db.query(
    "update graphile_worker._private_jobs set run_at = now() where run_at > now() + interval '1 year'",
  );
  expect((await getRun(db, parentId)).status).toBe("running");
}

/** Jobs of an operation that come from now on are put off for a century. */
async function holdQueue(operation: string): Promise<void> {
  await installation.db.query(
    `create or replace function put_off() returns trigger language plpgsql as $$
     begin
       if (select identifier from graphile_worker._private_tasks t where t.id = new.task_id) = '${operation}'
         then new.run_at := now() + interval '100 years'; end if;
       return new;
     end $$;
     create or replace trigger put_off before insert on graphile_worker._private_jobs
       for each row execute function put_off()`,
  );
  letGo = () => installation.db.query("drop trigger if exists put_off on graphile_worker._private_jobs");
}
let letGo: () => Promise<unknown> = async () => undefined;

test("asks for one sync per tenant, each gated by itself, and ends with the last of them", async () => {
  const { db, worker } = installation;
  const id = await request();
  await drainQueue(worker);
  expect(await getRun(db, id)).toMatchObject({ outcome: "succeeded", tally: { synced: 3 }, attempt: 1 });
  const asked = await children(id);
  expect(asked.map(({ tenantId }) => tenantId).sort()).toEqual(tenants.map((tenant) => tenant.id).sort());
  for (const child of asked) {
    expect(child).toMatchObject({ outcome: "succeeded", trigger: "bulk", initiatorId: world.omar.id });
    expect(await listDecisions(db, child.id)).toMatchObject([{ phase: "begin", verdict: "allowed" }]);
  }
  expect((await listActions(db, id)).filter((action) => action === "run.succeeded")).toHaveLength(1);
  expect(await listNotifications(db, id)).toHaveLength(1);
});
