import { beforeEach, describe, expect, test } from "@jest/globals";
import type { WorkerDeps } from "../../jobs/deps.ts";
import { makeLog } from "../../server/log.ts";
import { listAudit } from "../helpers/history.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, requestAs, seedNorthwind } from "../helpers/northwind.ts";
import { drainQueue, listJobsOf, makeTestWorker } from "../helpers/queue.ts";
import { getRun } from "../helpers/records.ts";

/** What a fault leaves behind, on the run, in the queue, in the audit trail and in the log, quotes nothing. */

const installation = useInstallation();
let world: Northwind;
let worker: WorkerDeps;
let logged: string;

const secret = "a-valid-secret";
const personal = "Ana Petrova, ana.petrova@contoso.example";

beforeEach(async () => {
  const { db, sandbox } = installation;
  world = await seedNorthwind(installation, { policies: 3 });
  logged = "";
  const write = (line: string) => {
    logged += line;
  };
  worker = makeTestWorker(db, sandbox.url, { log: makeLog({ LOG_LEVEL: "debug" }, "worker", { write }) });
});

test("an answer that quotes our token leaves no token anywhere", async () => {
  const { control } = installation;
  await control.setFaults(world.contoso.directoryId, [{ kind: "token_quoted" }]);
  const traces = await tracesOfSync("completed");
  expect(traces).toContain("could not be read: Sent: Bearer (token removed)");
  expect(traces).not.toMatch(/eyJ/);
  expect(traces).not.toContain(secret);
});

test("a database error in an effect leaves neither its SQL nor the row it choked on", async () => {
  const { db, control } = installation;
  await control.putPolicy(world.contoso.directoryId, "deviceConfigurations", "personal", {
    "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
    displayName: personal,
  });
  await db.query(
    "alter table inventory_items add constraint no_persons check (name not like '%@%') not valid",
  );
  try {
    const traces = await tracesOfSync();
    expect(traces).toContain("An unexpected error; the worker's log has it under this run's id.");
    // Those who look into the log find what it was.
    expect(logged).toContain("no_persons");
    expect(traces).not.toContain("Ana");
    expect(traces).not.toMatch(/insert into|select |inventory_items as/);
  } finally {
    await db.query("alter table inventory_items drop constraint no_persons");
  }
});

test("control: the error itself would have quoted the whole row", async () => {
  const { db } = installation;
  await db.query("create table unprotected (name text check (name not like '%@%'))");
  await expect(db.query("insert into unprotected values ($1)", [personal])).rejects.toMatchObject({
    detail: expect.stringContaining("Ana"),
  });
});

describe("a secret that cannot be opened", () => {
  test("is not shown in pieces, nor is the key", async () => {
    const { db } = installation;
    await db.query(
      "update provider_credentials set ciphertext = ciphertext || '\\x00' where connection_id = $1",
      [world.connection.id],
    );
    const traces = await tracesOfSync();
    expect(traces).toContain("An unexpected error");
    expect(traces).not.toContain(secret);
    expect(traces).not.toContain(Buffer.alloc(32, 7).toString("base64"));
  });
});

/** Everything that a failing sync wrote, in one text. */
async function tracesOfSync(status = "queued"): Promise<string> {
  const { db } = installation;
  const id = await requestAs(db, world.omar, "inventory.sync", world.contoso);
  await drainQueue(worker);
  const run = await getRun(db, id);
  expect(run).toMatchObject({ status, attempt: 1 });
  const jobs = await listJobsOf(db, id);
  // The run says what went wrong; the queue's own rows keep nothing of it.
  expect(jobs.map(({ lastError }) => lastError)).toEqual(status === "queued" ? [null] : []);
  return [JSON.stringify([run, jobs, await listAudit(db, id)]), logged].join("\n");
}
