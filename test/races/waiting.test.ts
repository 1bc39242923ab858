import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { type Db, openDatabase, type Tx, workerBounds } from "../../server/db/database.ts";
import { type Begun, beginAttempts } from "../../server/domain/operations/beginAttempts.ts";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { placeHold } from "../../server/domain/tenants/hold.ts";
import { letThrough } from "../../server/domain/tenants/letThrough.ts";
import { useInstallation } from "../helpers/installation.ts";
import { follow, makeDoor, openSession, untilSomebodyWaits } from "../helpers/interleaving.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";

/** What waits, against what happens at the same moment: other gates, endings, holds and their releases. */

const installation = useInstallation();
const operation = "inventory.sync" as const;
/** A gate that a test stops in the middle must not be cut off for that. */
const patient = { ...workerBounds, lock: 20_000, statement: 20_000, idle: 20_000, total: 20_000 };
let world: Northwind;
/** An installation where one run of a tenant may be under way at once. */
const narrow: { db?: Db } = {};

beforeAll(() => {
  narrow.db = openDatabase({
    url: installation.url,
    max: 10,
    rules: { writeGateMaxAgeHours: 24, tenantConcurrency: 1 },
  });
});
afterAll(() => narrow.db?.end());
beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

test("of two gates at once for a tenant's last free place, one lets its run begin", async () => {
  expect(await raceForOnePlace()).toEqual(["authorized", "deferred"]);
});

test("control: without the tenant's turn both begin", async () => {
  const { db } = installation;
  const [turn] = await db.query<{ definition: string }>(
    "select pg_get_functiondef('turn_key(uuid)'::regprocedure) as definition",
  );
  // A key of its own for everybody who asks keeps nobody waiting.
  await db.query(`create or replace function turn_key(tenant uuid) returns bigint
    language sql volatile strict return (random() * 1e15)::bigint`);
  try {
    expect(await raceForOnePlace()).toEqual(["authorized", "authorized"]);
  } finally {
    await db.query(turn?.definition ?? "");
  }
});

test("a run that is told to wait while the one it waits for ends is woken all the same", async () => {
  const db = narrowDb();
  const first = await request();
  const [begun] = await begin(db, first);
  if (begun?.kind !== "authorized") throw new Error("The first run did not begin.");
  const second = await request();
  const gate = pausedGate(db, second);
  await gate.reached;
  const { run } = begun;
  const ending = follow(
    db.transaction((tx) => finishRuns(tx, [{ run, ending: { outcome: "succeeded" } }]), patient),
  );
  await untilSomebodyWaits(db);
  gate.open();
  expect(await gate.answer).toBe("deferred");
  await ending.result;
  const [job] = await listJobsOf(db, second);
  expect(job?.runAt.getTime()).toBeLessThan(Date.now() + 5_000);
});

test("a hold of the workspace waits for a gate that was first, and holds every run after it", async () => {
  const { db } = installation;
  const [early, late] = [await request(), await request()];
  const gate = pausedGate(db, early);
  await gate.reached;
  const holding = follow(placeHold(db, { ...whole(), reason: "migration" }));
  await untilSomebodyWaits(db);
  expect(holding.done).toBe(false);
  gate.open();
  expect(await gate.answer).toBe("authorized");
  await holding.result;
  expect((await begin(db, late)).map(({ kind }) => kind)).toEqual(["deferred"]);
});

test("once a hold of the workspace has returned no run of it begins", async () => {
  expect(await beginDuringHold()).toBe("deferred");
});

test("control: where a hold of the workspace fences nothing, a run begins beside it", async () => {
  const { db } = installation;
  await db.query("alter table workspace_holds disable trigger fence_insert");
  try {
    expect(await beginDuringHold()).toBe("authorized");
  } finally {
    await db.query("alter table workspace_holds enable always trigger fence_insert");
  }
});

test("a run that is let through while a gate is leaving it waiting begins", async () => {
  const { db, worker } = installation;
  await placeHold(db, { ...here(), reason: "rotation" });
  const run = await request();
  const gate = pausedGate(db, run);
  await gate.reached;
  const released = follow(letThrough(db, { ...here(), runIds: [run] }));
  await untilSomebodyWaits(db);
  expect(released.done).toBe(false);
  gate.open();
  expect(await gate.answer).toBe("deferred");
  expect(await released.result).toBe(1);
  await drainQueue(worker);
  expect(await getRun(db, run)).toMatchObject({ outcome: "succeeded" });
});

/** Two gates, the second of which asks while the first has decided and not committed. */
async function raceForOnePlace(): Promise<string[]> {
  const db = narrowDb();
  const [one, two] = [await request(), await request()];
  const gate = pausedGate(db, one);
  await gate.reached;
  const second = follow(begin(db, two));
  await untilWaitsOrIsDone(second);
  gate.open();
  const answers = [await gate.answer, ...(await second.result).map(({ kind }) => kind)];
  return answers;
}

async function untilWaitsOrIsDone(second: { result: Promise<unknown> }): Promise<void> {
  await Promise.race([untilSomebodyWaits(installation.db), second.result]);
}

/** A hold that is placed but not committed when a run's gate asks. */
async function beginDuringHold(): Promise<string> {
  const { db, url } = installation;
  const run = await request();
  const session = await openSession(url);
  await session.query("begin");
  await session.query(
    "insert into workspace_holds (workspace_id, reason, placed_by_name) values ($1, 'migration', 'Olivia')",
    [world.northwind.id],
  );
  const beginning = follow(begin(db, run));
  await untilWaitsOrIsDone(beginning);
  await session.query("commit");
  const [answer] = await beginning.result;
  await session.end();
  return answer?.kind ?? "nothing";
}

/** A gate that stops after it has decided, before it commits, until it is opened. */
function pausedGate(db: Db, runId: string) {
  const door = makeDoor();
  const answer = db.transaction(async (tx) => {
    const begun = await beginIn(tx, runId);
    await door.wait();
    return begun[0]?.kind ?? "nothing";
  }, patient);
  return { reached: door.reached, open: door.open, answer };
}

function begin(db: Db, runId: string): Promise<Begun[]> {
  return db.transaction((tx) => beginIn(tx, runId), patient);
}

function beginIn(tx: Tx, runId: string): Promise<Begun[]> {
  return beginAttempts(tx, [{ operation, runId, jobId: `job of ${runId}` }]);
}

function narrowDb(): Db {
  if (narrow.db === undefined) throw new Error("The narrow installation is there from beforeAll on.");
  return narrow.db;
}

function request(): Promise<string> {
  return requestAs(installation.db, world.omar, operation, world.contoso);
}

function whole() {
  return { actor: world.olivia, workspaceId: world.northwind.id, tenantId: null };
}

function here() {
  return { ...whole(), tenantId: world.contoso.id };
}
