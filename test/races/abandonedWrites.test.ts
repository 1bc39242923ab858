import { beforeEach, expect, test } from "@jest/globals";
import { settleAbandoned } from "../../jobs/maintenance/settleAbandoned.ts";
import { openProvider } from "../../jobs/openProvider.ts";
import { digestOfAssignments } from "../../server/domain/backups/assignment.ts";
import { finishRuns } from "../../server/domain/operations/finishRuns.ts";
import { intendWrite } from "../../server/domain/operations/intendWrite.ts";
import { requeueLostRuns } from "../../server/domain/operations/rescueRuns.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { settleWrite } from "../../server/domain/operations/settleWrite.ts";
import type { PolicyWrite } from "../../server/provider/port.ts";
import { anyTime, within } from "../helpers/callTime.ts";
import { listAudit } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";
import { beginRestore, countSettled, openWriting } from "../helpers/restores.ts";
import { countUnsettled, deadlineIn, intendCreation, letAuthorityEndIn } from "./intending.ts";

/** What the rescuer found out about a call against what its own worker says, or can no longer say. */

const installation = useInstallation();
let world: Northwind;
let run: Run;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await beginRestore(installation, world);
});

test("an answer that comes once the run has ended does not change its account, and is in the audit trail", async () => {
  const { db } = installation;
  await letAuthorityEndIn(installation, world, 1);
  const intended = await intendCreation(installation, run, "Edge policy");
  await until(async () => (await deadlineIn(installation, run)) < 0);
  await rescueCalls();
  const ending = { outcome: "partially_succeeded", message: "Not all of it." } as const;
  await db.transaction((tx) => finishRuns(tx, [{ run, ending }]));
  const answer = { state: "done", id: "made", reason: null, requestId: null } as const;
  expect(await settleWrite(db, intended.key, answer, countSettled)).toMatchObject({ state: "failed" });
  const told = (await listAudit(db, run.id)).filter(({ action }) => action === "run.effect");
  expect(told.map(({ details }) => details.state)).toEqual(["failed", "done"]);
  expect(told[1]?.details.message).toMatch(/after the run had ended/);
});

test("an answer that its worker brings late outranks what others read meanwhile, and the item is not lost", async () => {
  const { db, worker } = installation;
  const made = await openWriting(installation, run).create("Edge policy");
  await letAuthorityEndIn(installation, world, 1);
  const write: PolicyWrite = {
    action: "assign",
    type: "deviceConfigurations",
    id: made.id,
    body: { assignments: [] },
  };
  const { reader, writer } = await openProvider(worker, world.connection.id);
  const read = await reader.readPolicy("deviceConfigurations", made.id ?? "", anyTime.signal);
  // It reads as before, as it does where a change shows late: so who looks too early says that it was not made.
  const before = digestOfAssignments(read?.assignments ?? null);
  const { action, type, id } = write;
  const intent = { action, type, id, matchKey: "", before, after: "shows late", item: {} };
  const intended = await intendWrite(db, run, { name: "item:assign", intent, credentialVersion: 1 });
  if (intended.kind !== "intended") throw new Error(`It was not intended: ${intended.kind}`);
  await writer.write(write, intended.key.idempotencyKey, within(5_000));
  await until(async () => (await deadlineIn(installation, run)) < 0);
  await rescueCalls();
  expect(await countUnsettled(installation, run)).toBe(0);
  const answer = { state: "done", id: made.id, reason: null, requestId: null } as const;
  expect(await settleWrite(db, intended.key, answer, countSettled)).toMatchObject({ state: "done" });
  expect(await settleWrite(db, intended.key, answer, countSettled)).toMatchObject({ state: "done" });
  expect(await countUnsettled(installation, run)).toBe(0);
  expect(await getRun(db, run.id)).toMatchObject({ effectsDone: 2, tally: { done: 2 } });
});

test("settling a lost worker's call is no sign of life of that worker", async () => {
  const { db } = installation;
  await letAuthorityEndIn(installation, world, 1);
  await intendCreation(installation, run, "Edge policy");
  await until(async () => (await deadlineIn(installation, run)) < 0);
  await db.query(
    "update operation_runs set heartbeat_at = clock_timestamp() - interval '2 minutes' where id = $1",
    [run.id],
  );
  await rescueCalls();
  expect(await countUnsettled(installation, run)).toBe(0);
  expect(await requeueLostRuns(db, 60_000)).toBeGreaterThan(0);
  expect(await getRun(db, run.id)).toMatchObject({ status: "queued" });
});

/** What the rescuer does, without waiting for the margin in which a call's own worker would settle it. */
function rescueCalls(): Promise<number> {
  return settleAbandoned(installation.worker, { recorderOf: () => countSettled, margin: 0 });
}
