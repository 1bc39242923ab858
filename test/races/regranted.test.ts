import { beforeEach, expect, test } from "@jest/globals";
import { findDenied } from "../../server/domain/operations/recheckRuns.ts";
import { runEffect } from "../../server/domain/operations/runEffect.ts";
import { beginSync } from "../helpers/begun.ts";
import { useInstallation } from "../helpers/installation.ts";
import { openSession, until } from "../helpers/interleaving.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { getRun } from "../helpers/records.ts";

/** Authority that was taken and given back: what counts is what holds, not that something has moved. */

const installation = useInstallation();
let world: Northwind;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
});

const one = async () => ({ items: 1, counts: {} });

test("revoke, grant, revoke: a run authorized in between is not killed by the first revocation", async () => {
  const { db } = installation;
  await suspend("disabled");
  await suspend("active");
  const run = await beginSync(installation, world);
  await runEffect(db, run, { name: "in between", perAttempt: false }, one);
  await suspend("disabled");
  await expect(runEffect(db, run, { name: "after", perAttempt: false }, one)).rejects.toThrow();
  expect(await getRun(db, run.id)).toMatchObject({ outcome: "blocked", effectsDone: 1 });
});

test("a run under way that hears late of a revocation which was taken back goes on", async () => {
  const { db, worker } = installation;
  const run = await beginSync(installation, world);
  const attempt = worker.attempts.open(run, undefined);
  await suspend("disabled");
  await suspend("active");
  await worker.attempts.recheck(db);
  expect(attempt.signal.aborted).toBe(false);
  await runEffect(db, run, { name: "after all", perAttempt: false }, one);
  expect(await getRun(db, run.id)).toMatchObject({ status: "running", effectsDone: 1 });
  attempt.end();
});

test("control: who stops at the notice, without asking what holds, stops the run that may go on", async () => {
  const { db, url } = installation;
  const run = await beginSync(installation, world);
  const naive = new AbortController();
  const listener = await openSession(url);
  listener.on("notification", () => naive.abort());
  await listener.query("listen authority_changed");
  await suspend("disabled");
  await suspend("active");
  await until(async () => naive.signal.aborted);
  expect(await findDenied(db, [run])).toEqual(new Set());
  await runEffect(db, run, { name: "allowed all the same", perAttempt: false }, one);
  await listener.end();
});

async function suspend(status: "active" | "disabled"): Promise<void> {
  await installation.db.query("update users set status = $2 where id = $1", [world.omar.id, status]);
}
