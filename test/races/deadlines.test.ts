import { beforeEach, expect, jest, test } from "@jest/globals";
import { intendWrite } from "../../server/domain/operations/intendWrite.ts";
import type { Run } from "../../server/domain/operations/run.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { beginRestore, creationOf } from "../helpers/restores.ts";

/** The worker's end of a call against the deadline that a revocation waits for, whatever the clocks do. */

const installation = useInstallation();
let world: Northwind;
let run: Run;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await beginRestore(installation, world);
});

async function intend() {
  const { write, matchKey, before, after, item, name } = creationOf(installation.worker, "Edge policy");
  const intent = { action: write.action, type: write.type, id: write.id, matchKey, before, after, item };
  const intended = await intendWrite(installation.db, run, { name, intent, credentialVersion: 1 });
  if (intended.kind !== "intended") throw new Error(`It was not intended: ${intended.kind}`);
  return intended;
}

async function deadlineIn(): Promise<number> {
  const [row] = await installation.db.query<{ ms: number }>(
    `select (extract(epoch from deadline - clock_timestamp()) * 1000)::float8 as ms from effects
     where run_id = $1 and state = 'in_flight'`,
    [run.id],
  );
  return row?.ms ?? 0;
}

test("a worker gives a call up well before the deadline that revocations wait for", async () => {
  const { leftMs } = await intend();
  const deadline = await deadlineIn();
  expect(leftMs()).toBeGreaterThan(0);
  expect(leftMs()).toBeLessThan(deadline - 400);
});

test("a worker whose host slept with a call intended does not send it, though its timers stood still", async () => {
  const { leftMs } = await intend();
  const awake = Date.now();
  const clock = jest.spyOn(Date, "now").mockImplementation(() => awake + 60_000);
  try {
    expect(leftMs()).toBeLessThan(0);
  } finally {
    clock.mockRestore();
  }
});

test("a host whose clock is set back while a call is intended does not take it for longer", async () => {
  const { leftMs } = await intend();
  const before = Date.now();
  const clock = jest.spyOn(Date, "now").mockImplementation(() => before - 3_600_000);
  try {
    expect(leftMs()).toBeLessThan(await deadlineIn());
  } finally {
    clock.mockRestore();
  }
});
