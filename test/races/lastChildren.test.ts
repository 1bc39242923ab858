import { beforeEach, expect, test } from "@jest/globals";
import { failAttempt, handBackAttempt, recordUndecided } from "../../server/domain/operations/endAttempt.ts";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { type Run, runColumns } from "../../server/domain/operations/run.ts";
import { addTenant } from "../helpers/backups.ts";
import { requestSyncOf } from "../helpers/bulk.ts";
import { placeHold, type TestTenant } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, openSession, untilSessionsWait } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue } from "../helpers/queue.ts";
import { getRun, listActions, listNotifications } from "../helpers/records.ts";

/** Two last children that end at the same moment: exactly one of them ends their parent. */

const installation = useInstallation();
let parentId: string;
let runs: Run[];

beforeEach(async () => {
  const { db, worker } = installation;
  const world: Northwind = await seedNorthwind(installation, { policies: 0 });
  const tenants: TestTenant[] = [world.contoso, await addTenant(installation, world)];
  for (const tenant of tenants) await placeHold(db, { tenant });
  parentId = await requestSyncOf(installation, world, world.omar, tenants);
  await drainQueue(worker);
  await db.query("delete from tenant_holds");
  const children = await db.query<{ id: string }>(
    "select id from operation_runs where parent_run_id = $1 order by id",
    [parentId],
  );
  runs = [];
  for (const { id } of children) {
    const begun = await worker.begin({ operation: "inventory.sync", runId: id, jobId: id });
    if (begun.kind !== "authorized") throw new Error(`A child did not begin: ${begun.kind}`);
    runs.push(begun.run);
  }
});

test("one of them ends it, once, with both counted", async () => {
  const { db, url } = installation;
  const holder = await openSession(url);
  await holder.query("begin");
  await holder.query("select 1 from operation_runs where id = $1 for update", [parentId]);
  const endings = runs.map((run) =>
    follow(db.transaction((tx) => finishRuns(tx, [{ run, ending: { outcome: "succeeded" } }]))),
  );
  // Both have written their own end and want their parent.
  await untilSessionsWait(db, 2);
  await holder.query("rollback");
  await holder.end();
  for (const { result } of endings) expect((await result).size).toBe(1);
  expect(await getRun(db, parentId)).toMatchObject({ outcome: "succeeded", tally: { synced: 2 } });
  expect((await listActions(db, parentId)).filter((action) => action === "run.succeeded")).toHaveLength(1);
  expect(await listNotifications(db, parentId)).toHaveLength(1);
});

test("an attempt that did not hear that it has left its end to its children takes nothing back", async () => {
  const { db } = installation;
  const [parent] = await db.query<Run>(`select ${runColumns} from operation_runs where id = $1`, [parentId]);
  if (parent === undefined) throw new Error("There is no parent.");
  const fault = { code: "internal_error", message: "The database did not answer in time." } as const;
  expect(await failAttempt(db, parent, fault)).toBe("fenced");
  expect(await handBackAttempt(db, parent)).toBe("fenced");
  expect(await recordUndecided(db, { runId: parentId, jobId: parent.jobId ?? "" })).toBe("fenced");
  const endings = runs.map((run) => ({ run, ending: { outcome: "succeeded" as const } }));
  await db.transaction((tx) => finishRuns(tx, endings));
  expect(await getRun(db, parentId)).toMatchObject({ outcome: "succeeded", attempt: 1 });
});

test("control: counted without their parent's lock, each sees the other open, and nobody ends it", async () => {
  const { url } = installation;
  const sessions = await Promise.all(runs.map(() => openSession(url)));
  const open: unknown[] = [];
  for (const [index, session] of sessions.entries()) {
    await session.query("begin");
    await session.query(
      `update operation_runs set status = 'completed', outcome = 'succeeded', completed_at = clock_timestamp()
       where id = $1`,
      [runs[index]?.id],
    );
  }
  for (const session of sessions) {
    const counted = await session.query(
      "select count(*)::integer as n from operation_runs where parent_run_id = $1 and status <> 'completed'",
      [parentId],
    );
    open.push(counted.rows[0]?.n);
  }
  expect(open).toEqual([1, 1]);
  for (const session of sessions) {
    await session.query("commit");
    await session.end();
  }
  expect((await getRun(installation.db, parentId)).status).toBe("running");
});
