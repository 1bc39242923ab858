import { beforeEach, expect, test } from "@jest/globals";
import { decide } from "../../server/domain/authority/decide.ts";
import { gatherFacts } from "../../server/domain/authority/gatherFacts.ts";
import { subjectOf } from "../../server/domain/operations/run.ts";
import { useInstallation } from "../helpers/installation.ts";
import { openSession } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, makeJobsDue, makeTestWorker } from "../helpers/queue.ts";
import { getRun, listActions, listDecisions, listNotifications } from "../helpers/records.ts";
import { getStoredRun } from "./restoring.ts";

/** A denial is one thing: its transition, decision, entry and notification come together and once, or not at all. */

const installation = useInstallation();
let world: Northwind;
let run: string;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await requestAs(installation.db, world.omar, "inventory.sync", world.contoso);
  await installation.db.query("update users set status = 'disabled' where id = $1", [world.omar.id]);
});

test("denials in parallel make exactly one transition, one decision, one entry, one notification", async () => {
  const { db, sandbox } = installation;
  const workers = Array.from({ length: 8 }, () => makeTestWorker(db, sandbox.url));
  const kinds = await Promise.all(
    workers.map(
      async (worker, n) =>
        (await worker.begin({ operation: "inventory.sync", runId: run, jobId: `job ${n}` })).kind,
    ),
  );
  expect(kinds.filter((kind) => kind === "blocked")).toHaveLength(1);
  expect(kinds.filter((kind) => kind === "ended")).toHaveLength(7);
  expect(await listDecisions(db, run)).toHaveLength(1);
  expect(await listActions(db, run)).toEqual(["run.requested", "run.blocked"]);
  expect(await listNotifications(db, run)).toHaveLength(1);
});

test("control: denials that look first and write then, without the run's row, make an entry each", async () => {
  const { db, url } = installation;
  const stored = await getStoredRun(installation, run);
  const sessions = await Promise.all([openSession(url), openSession(url)]);
  for (const session of sessions) {
    await session.query("begin");
    const facts = (await gatherFacts(db, [subjectOf(stored)], "begin")).get(run);
    expect(facts && decide(facts).verdict).toBe("denied");
    await session.query(
      `insert into execution_decisions (id, run_id, attempt, phase, verdict, denial_class, reason_code, retryable,
         checks, decided_at)
       values (gen_random_uuid(), $1, 1, 'begin', 'denied', 'initiator_invalid', 'initiator_not_entitled', false,
         '{}', clock_timestamp())`,
      [run],
    );
  }
  // Whichever comes first to the row; the other one waits for its commit.
  await Promise.all(
    sessions.map(async (session) => {
      await session.query(
        `update operation_runs set status = 'completed', outcome = 'blocked', reason_code = 'initiator_not_entitled',
           denial_class = 'initiator_invalid', completed_at = clock_timestamp() where id = $1 and status = 'queued'`,
        [run],
      );
      await session.query("commit");
      await session.end();
    }),
  );
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked" });
  expect(await listDecisions(db, run)).toHaveLength(2);
});

test("a denial whose transaction fails has no effect, and is denied when it comes again", async () => {
  const { db, worker } = installation;
  await db.query("alter table notifications add constraint broken check (false) not valid");
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ status: "queued", attempt: 1, startedAt: null });
  expect(await listDecisions(db, run)).toEqual([]);
  await db.query("alter table notifications drop constraint broken");
  await makeJobsDue(db);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({
    outcome: "blocked",
    reasonCode: "initiator_not_entitled",
    startedAt: null,
  });
  expect(await listNotifications(db, run)).toHaveLength(1);
});

test("control: a denial whose parts are written one by one leaves a blocked run that nobody is told of", async () => {
  const { db } = installation;
  await db.query("alter table notifications add constraint broken check (false) not valid");
  try {
    await db.query(
      `update operation_runs set status = 'completed', outcome = 'blocked', reason_code = 'initiator_not_entitled',
         denial_class = 'initiator_invalid', completed_at = clock_timestamp() where id = $1`,
      [run],
    );
    const told = db.query(
      `insert into notifications (id, user_id, run_id, kind, content)
       values (gen_random_uuid(), $1, $2, 'outcome', '{}')`,
      [world.omar.id, run],
    );
    await expect(told).rejects.toMatchObject({ code: "23514" });
  } finally {
    await db.query("alter table notifications drop constraint broken");
  }
  expect(await getRun(db, run)).toMatchObject({ outcome: "blocked" });
  expect(await listNotifications(db, run)).toEqual([]);
});
