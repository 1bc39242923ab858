import { beforeEach, describe, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { makeMaintenanceTasks } from "../../jobs/maintenance/maintenanceTasks.ts";
import { retention } from "../../jobs/maintenance/retention.ts";
import { makeTaskList } from "../../jobs/taskList.ts";
import { operationNames } from "../../server/domain/operations/catalog.ts";
import { requestRun } from "../../server/domain/operations/requestRun.ts";
import { listExpiredBackups } from "../../server/domain/retention/expireBackups.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { aRequest } from "../helpers/requests.ts";
import { freezePlan } from "../helpers/restores.ts";
import { createRun } from "../helpers/runs.ts";
import { createSchedule } from "../helpers/schedules.ts";

const day = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * day);

const installation = useInstallation();
let world: Northwind;
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 2 });
});

const kept = { notifications: 0, runs: 0, backups: 0 };
const tidy = (days: Partial<typeof kept>, now: Date) =>
  retention(installation.worker, { days: { ...kept, ...days }, now, expiresInHours: 24 });

const recorded = ["execution_decisions", "effects", "notifications"] as const;

describe("old runs", () => {
  test("go with their decisions, effects and notifications; the audit trail stays", async () => {
    const { db, worker } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await drainQueue(worker);
    for (const table of recorded) expect(await rowsOf(table, run)).not.toEqual([]);
    const audit = await auditOf(run);
    expect(await tidy({ runs: 30 }, inDays(29))).toMatchObject({ runs: 0 });
    expect(await tidy({ runs: 30 }, inDays(31))).toMatchObject({ runs: 1 });
    for (const table of recorded) expect(await rowsOf(table, run)).toEqual([]);
    expect(await isThere("operation_runs", run)).toBe(false);
    expect(await auditOf(run)).toEqual(audit);
    expect(await deletionsIn(world.northwind.id)).toMatchObject([
      { action: "retention.runs_deleted", details: { runs: 1 } },
    ]);
  });

  test("stay when they are open, however old", async () => {
    const { db } = installation;
    const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
    await tidy({ runs: 1 }, inDays(400));
    expect(await isThere("operation_runs", run)).toBe(true);
    await drainQueue(installation.worker);
  });

  test("stay while a backup, a preview or a schedule rests on them", async () => {
    const { db } = installation;
    const { northwind: workspace, contoso: tenant, omar: initiator } = world;
    const ended = { workspace, tenant, initiator, ending: { outcome: "succeeded" as const } };
    const [execution, free] = [await createRun(db, ended), await createRun(db, ended)];
    // A restore takes a snapshot first, which has the id of its run.
    await addBackupSet(execution.id);
    const preview = await createRun(db, ended);
    await db.query(
      `insert into restore_plans (id, workspace_id, tenant_id, source_set_id, source_tenant_id, options, run_id)
       values ($1, $2, $3, $4, $3, '{}', $4)`,
      [preview.id, workspace.id, tenant.id, execution.id],
    );
    const schedule = await createSchedule(db, { workspace, tenant, steward: world.olivia });
    const last = await lastRunOf(schedule.id);
    await tidy({ runs: 30 }, inDays(31));
    for (const id of [execution.id, preview.id, last]) expect(await isThere("operation_runs", id)).toBe(true);
    expect(await isThere("operation_runs", free.id)).toBe(false);

    await db.query("delete from backup_sets where id = $1", [execution.id]);
    await tidy({ runs: 30 }, inDays(31));
    await tidy({ runs: 30 }, inDays(31));
    for (const id of [execution.id, preview.id]) expect(await isThere("operation_runs", id)).toBe(false);
    expect(await isThere("restore_plans", preview.id)).toBe(false);
  });

  test("go batch by batch past those that stay", async () => {
    const { db } = installation;
    const { northwind: workspace, contoso: tenant } = world;
    const ended = { workspace, tenant, ending: { outcome: "cancelled" as const } };
    for (let made = 0; made < 250; made += 1) await createRun(db, ended);
    await db.query(
      `insert into backup_sets (id, workspace_id, tenant_id)
       select id, workspace_id, tenant_id from operation_runs where workspace_id = $1 order by id limit 120`,
      [workspace.id],
    );
    expect(await tidy({ runs: 30 }, inDays(31))).toMatchObject({ runs: 130 });
    expect(await tidy({ runs: 30 }, inDays(31))).toMatchObject({ runs: 0 });
  });
});

test("old runs are reached behind very many that stay", async () => {
  const { db } = installation;
  const { northwind: workspace, contoso: tenant } = world;
  const { id } = await createRun(db, { workspace, tenant, ending: { outcome: "succeeded" } });
  // Older than it, each with a backup that is kept: more than an hour's housekeeping looked at.
  await db.query(
    `insert into operation_runs select copy.* from operation_runs r, generate_series(1, 22000) n,
       jsonb_populate_record(r, jsonb_build_object(
         'id', '00000000-' || lpad(to_hex(n), 4, '0') || '-7000-8000-000000000000')) copy
     where r.id = $1`,
    [id],
  );
  await db.query(
    `insert into backup_sets (id, workspace_id, tenant_id)
     select id, workspace_id, tenant_id from operation_runs where tenant_id = $1 and id <> $2`,
    [tenant.id, id],
  );
  expect(await tidy({ runs: 30 }, inDays(31))).toMatchObject({ runs: 1 });
  expect(await isThere("operation_runs", id)).toBe(false);
});

test("read notifications go, unread ones stay", async () => {
  const { db, worker } = installation;
  const [read, unread] = [
    await requestAs(db, world.omar, "inventory.sync", world.contoso),
    await requestAs(db, world.olivia, "inventory.sync", world.contoso),
  ];
  await drainQueue(worker);
  await db.query("update notifications set read_at = now() where run_id = $1", [read]);
  expect(await tidy({ notifications: 90 }, inDays(89))).toMatchObject({ notifications: 0 });
  expect(await tidy({ notifications: 90 }, inDays(91))).toMatchObject({ notifications: 1 });
  expect(await deletionsIn(null)).toContainEqual({
    action: "retention.notifications_deleted",
    details: expect.objectContaining({ deleted: expect.any(Number) }),
  });
  expect(await rowsOf("notifications", read)).toEqual([]);
  expect(await rowsOf("notifications", unread)).toHaveLength(1);
});

test("previews that nobody carried out go after a day, with their items", async () => {
  const { db } = installation;
  const { northwind: workspace, contoso: tenant } = world;
  const { setId } = await freezePlan(db, world);
  const { id } = await createRun(db, { workspace, tenant, ending: { outcome: "succeeded" } });
  await db.query(
    `insert into restore_plans (id, workspace_id, tenant_id, source_set_id, source_tenant_id, options)
     values ($1, $2, $3, $4, $3, '{}')`,
    [id, workspace.id, tenant.id, setId],
  );
  await db.query(
    `insert into restore_items (plan_id, position, backup_item_id, type, name, match_key, action)
     values ($1, 1, $2, 'deviceConfigurations', 'Wi-Fi', 'wi-fi', 'create')`,
    [id, uuidv7()],
  );
  await db.query("update restore_plans set digest = 'd', completed_at = now() where id = $1", [id]);
  await tidy({}, inDays(0.9));
  expect(await isThere("restore_plans", id)).toBe(true);
  expect(await tidy({}, inDays(1.1))).toMatchObject({ plans: 1 });
  expect(await deletionsIn(null)).toContainEqual({
    action: "retention.previews_deleted",
    details: expect.objectContaining({ deleted: expect.any(Number) }),
  });
  expect(await isThere("restore_plans", id)).toBe(false);
  expect(await db.query("select 1 from restore_items where plan_id = $1", [id])).toEqual([]);
});

test("worker processes that are gone go after a month, those that beat stay", async () => {
  const { db } = installation;
  await db.query("delete from worker_pools");
  await db.query(
    `insert into worker_pools (pool_id, host, stopped_at, lost_at)
     values ('stopped', 'h', now(), null), ('lost', 'h', null, now()), ('alive', 'h', null, null)`,
  );
  expect(await tidy({}, inDays(29))).toMatchObject({ pools: 0 });
  expect(await tidy({}, inDays(31))).toMatchObject({ pools: 2 });
  expect(await db.query("select pool_id from worker_pools")).toEqual([{ pool_id: "alive" }]);
});

test("selections that nobody went on with go after a day", async () => {
  const { db } = installation;
  const id = uuidv7();
  await db.query(
    `insert into bulk_selections (id, workspace_id, tenant_id, operation, items, left_out, digest, created_by)
     values ($1, $2, $3, 'policies.bulk_delete', 1, 0, 'd', $4)`,
    [id, world.northwind.id, world.contoso.id, world.olivia.id],
  );
  expect(await tidy({}, inDays(0.9))).toMatchObject({ selections: 0 });
  expect(await tidy({}, inDays(1.1))).toMatchObject({ selections: 1 });
  expect(await deletionsIn(null)).toContainEqual({
    action: "retention.selections_deleted",
    details: expect.objectContaining({ deleted: expect.any(Number) }),
  });
  expect(await db.query("select 1 from bulk_selections where id = $1", [id])).toEqual([]);
});

test("0 keeps for ever", async () => {
  const { db, worker } = installation;
  const run = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await drainQueue(worker);
  await db.query("update notifications set read_at = now()");
  expect(await tidy({}, inDays(10_000))).toMatchObject({ runs: 0, notifications: 0 });
  expect(await isThere("operation_runs", run)).toBe(true);
});

describe("old backups", () => {
  const expired = async (now: Date) =>
    (await listExpiredBackups(installation.db, now)).find(({ tenantId }) => tenantId === world.contoso.id);

  test("are found tenant by tenant, except the newest complete one", async () => {
    const { db } = installation;
    const [oldest, older] = [await freezePlan(db, world), await freezePlan(db, world)];
    await freezePlan(db, world);
    expect(await expired(inDays(-1))).toBeUndefined();
    expect(await expired(inDays(1))).toEqual({
      workspaceId: world.northwind.id,
      tenantId: world.contoso.id,
      setIds: [oldest.setId, older.setId],
    });
  });

  test("of an archived tenant are all found", async () => {
    const { db } = installation;
    const { setId } = await freezePlan(db, world);
    expect(await expired(inDays(1))).toBeUndefined();
    await db.query("update tenants set lifecycle = 'archived' where id = $1", [world.contoso.id]);
    expect(await expired(inDays(1))).toMatchObject({ setIds: [setId] });
  });

  test("stay while an open run takes from them", async () => {
    const { db } = installation;
    const [used] = [await freezePlan(db, world), await freezePlan(db, world)];
    const target = { planId: used.planId, digest: used.digest, types: ["deviceConfigurations"] };
    const asked = await requestRun(db, {
      ...aRequest(world, { operation: "restore.execute", initiator: world.olivia }),
      target,
      backupSetId: used.setId,
    });
    expect(asked).toMatchObject({ kind: "stored", blocked: false });
    expect(await expired(inDays(1))).toBeUndefined();
  });
});

test("what the queue does besides operations is on one list, under names of its own", () => {
  const { worker } = installation;
  const config = {
    REQUEST_EXPIRY_HOURS: 24,
    RETENTION_NOTIFICATION_DAYS: 0,
    RETENTION_RUN_DAYS: 0,
    RETENTION_BACKUP_DAYS: 0,
  };
  const maintenance = Object.keys(makeMaintenanceTasks(worker, config));
  expect(maintenance).toEqual(["schedule_tick", "retention"]);
  expect(Object.keys(makeTaskList(worker))).toEqual([...operationNames]);
});

async function rowsOf(table: (typeof recorded)[number], runId: string) {
  return installation.db.query(`select 1 from ${table} where run_id = $1`, [runId]);
}

async function isThere(table: "operation_runs" | "restore_plans", id: string): Promise<boolean> {
  return (await installation.db.query(`select 1 from ${table} where id = $1`, [id])).length > 0;
}

/** What housekeeping said it deleted; null for what is of no one workspace. */
async function deletionsIn(workspaceId: string | null) {
  return installation.db.query(
    `select action, details from audit_events where action like 'retention.%'
     and workspace_id is not distinct from $1 order by id`,
    [workspaceId],
  );
}

async function auditOf(runId: string) {
  return installation.db.query("select id from audit_events where subject_id = $1 order by id", [runId]);
}

async function addBackupSet(id: string): Promise<void> {
  await installation.db.query("insert into backup_sets (id, workspace_id, tenant_id) values ($1, $2, $3)", [
    id,
    world.northwind.id,
    world.contoso.id,
  ]);
}

/** A run that the schedule asked for and that ended. */
async function lastRunOf(scheduleId: string): Promise<string> {
  const id = uuidv7();
  await installation.db.query(
    `insert into operation_runs (id, workspace_id, tenant_id, operation, authority_mode, trigger, schedule_id,
       target, target_digest, request_checks, status, outcome, max_attempts, expires_at, requested_at, completed_at)
     values ($1, $2, $3, 'inventory.sync', 'system_authority', 'schedule', $4, '{}', 'd', '{}', 'completed',
       'cancelled', 5, now(), now(), now())`,
    [id, world.northwind.id, world.contoso.id, scheduleId],
  );
  await installation.db.query("update schedule_states set last_run_id = $2 where schedule_id = $1", [
    scheduleId,
    id,
  ]);
  return id;
}
