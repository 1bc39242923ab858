import { beforeEach, expect, test } from "@jest/globals";
import { v7 as uuidv7 } from "uuid";
import { failAttempt } from "../../server/domain/operations/endAttempt.ts";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { releaseHold } from "../../server/domain/tenants/hold.ts";
import { letThrough } from "../../server/domain/tenants/letThrough.ts";
import { createMember, placeHold } from "../helpers/factories.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, openSession, untilSomebodyWaits } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { listJobsOf } from "../helpers/queue.ts";
import { getRun, listActions } from "../helpers/records.ts";
import { requestRestoreRun } from "../helpers/restores.ts";

/** One run at a time writes at a tenant; the others wait for their turn, in the order they were asked for. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

const begin = (runId: string) =>
  installation.worker.begin({ operation: "restore.execute", runId, jobId: uuidv7() });

async function two(): Promise<[string, string]> {
  return [await requestRestoreRun(installation.db, world), await requestRestoreRun(installation.db, world)];
}

async function end(run: Run): Promise<void> {
  await installation.db.transaction((tx) => finishRuns(tx, [{ run, ending: { outcome: "succeeded" } }]));
}

test("the second waits without having spent an attempt, says for whom, and is woken when the first ends", async () => {
  const { db } = installation;
  const [first, second] = await two();
  const begun = await begin(first);
  expect(await begin(second)).toEqual({ kind: "deferred" });
  expect(await getRun(db, second)).toMatchObject({ status: "queued", waitingReason: "turn", attempt: 0 });
  expect(await listActions(db, second)).toContain("run.deferred");
  const [later] = await listJobsOf(db, second);
  if (begun.kind === "authorized") await end(begun.run);
  const [woken] = await listJobsOf(db, second);
  expect(+(woken?.runAt ?? Infinity)).toBeLessThan(+(later?.runAt ?? 0));
  expect(await begin(second)).toMatchObject({ kind: "authorized" });
});

test("of two that would begin in the same moment only the one asked for first does", async () => {
  const [first, second] = await two();
  const answers = await Promise.all([begin(second), begin(first)]);
  expect(answers.map(({ kind }) => kind)).toEqual(["deferred", "authorized"]);
});

test("of two that come in the same moment the second is woken at once when the first is blocked", async () => {
  const { db } = installation;
  const [first, second] = await two();
  await db.query("update operation_runs set expires_at = requested_at where id = $1", [first]);
  const answers = await Promise.all([begin(first), begin(second)]);
  expect(answers.map(({ kind }) => kind)).toEqual(["blocked", "deferred"]);
  expect(await getRun(db, second)).toMatchObject({ status: "queued", waitingReason: "turn" });
  const [woken] = await listJobsOf(db, second);
  expect(+(woken?.runAt ?? Infinity)).toBeLessThanOrEqual(Date.now());
  expect(await begin(second)).toMatchObject({ kind: "authorized" });
});

test("a younger one that has begun keeps its turn: the older waits", async () => {
  const [first, second] = await two();
  const { db } = installation;
  // The older was asked for first, but its request was committed only after the younger had begun.
  await db.query(
    "update operation_runs set status = 'completed', outcome = 'cancelled', completed_at = now() where id = $1",
    [first],
  );
  expect(await begin(second)).toMatchObject({ kind: "authorized" });
  const third = await requestRestoreRun(db, world);
  expect(await begin(third)).toEqual({ kind: "deferred" });
});

test("one that was let through a hold does not wait for one that the hold keeps back", async () => {
  const { db } = installation;
  const [first, second] = await two();
  await placeHold(db, { tenant: world.contoso });
  expect(await begin(first)).toEqual({ kind: "deferred" });
  const here = { actor: world.olivia, workspaceId: world.northwind.id, tenantId: world.contoso.id };
  expect(await letThrough(db, { ...here, runIds: [second] })).toBe(1);
  const begun = await begin(second);
  expect(begun).toMatchObject({ kind: "authorized" });
  await releaseHold(db, here);
  expect(await begin(first)).toEqual({ kind: "deferred" });
  expect(await getRun(db, first)).toMatchObject({ waitingReason: "turn" });
  if (begun.kind === "authorized") await end(begun.run);
  expect(await begin(first)).toMatchObject({ kind: "authorized" });
});

test("gates of different workers take the turn one after the other", async () => {
  const { url, db } = installation;
  const [first] = await two();
  const session = await openSession(url);
  await session.query("begin");
  await session.query("select pg_advisory_xact_lock(turn_key($1))", [world.contoso.id]);
  const beginning = follow(begin(first));
  await untilSomebodyWaits(db);
  expect(beginning.done).toBe(false);
  await session.query("commit");
  expect(await beginning.result).toMatchObject({ kind: "authorized" });
  await session.end();
});

test("control: without the turn's lock the database still refuses a second writer", async () => {
  const { db } = installation;
  const [first, second] = await two();
  await begin(first);
  const forced = db.query(
    `update operation_runs set status = 'running', started_at = now(), attempt = 1, fencing_token = 1,
       waiting_reason = null where id = $1`,
    [second],
  );
  await expect(forced).rejects.toMatchObject({ code: "23505" });
});

test("one that is to be tried again later makes room for whoever is just being told to wait for it", async () => {
  const { db, url } = installation;
  const [first, second] = await two();
  const begun = await begin(first);
  if (begun.kind !== "authorized") throw new Error("The first one may begin.");
  // The second one's gate has judged it, and has not committed yet that it waits.
  const session = await openSession(url);
  await session.query("begin");
  await session.query("select pg_advisory_xact_lock(turn_key($1))", [world.contoso.id]);
  await session.query("update operation_runs set waiting_reason = 'turn' where id = $1", [second]);
  const failing = follow(failAttempt(db, begun.run, { code: "internal_error", message: "Not this time." }));
  await untilSomebodyWaits(db);
  expect(failing.done).toBe(false);
  await db.query(
    "update graphile_worker._private_jobs set run_at = now() + interval '1 hour' where key = $1",
    [`run:${second}`],
  );
  await session.query("commit");
  expect(await failing.result).toBe("retried");
  const [woken] = await listJobsOf(db, second);
  expect(+(woken?.runAt ?? Infinity)).toBeLessThanOrEqual(Date.now());
  await session.end();
});

test("what may not write is told so at once, not when it would have its turn", async () => {
  const { db } = installation;
  const [first, second] = await two();
  await begin(first);
  await createMember(db, { workspace: world.northwind, role: "owner" });
  await db.query("delete from role_assignments where user_id = $1", [world.omar.id]);
  expect(await begin(second)).toEqual({ kind: "blocked" });
});
