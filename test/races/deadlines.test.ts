import { beforeEach, expect, jest, test } from "@jest/globals";
import type { Run } from "../../server/domain/operations/run.ts";
import { useInstallation } from "../helpers/installation.ts";
import { type Northwind, seedNorthwind } from "../helpers/northwind.ts";
import { beginRestore } from "../helpers/restores.ts";
import { deadlineIn, intendCreation } from "./intending.ts";

/** The worker's end of a call against the deadline that a revocation waits for, whatever the clocks do. */

const installation = useInstallation();
let world: Northwind;
let run: Run;

beforeEach(async () => {
  world = await seedNorthwind(installation, { policies: 0 });
  run = await beginRestore(installation, world);
});

test("a worker gives a call up well before the deadline that revocations wait for", async () => {
  const { leftMs } = await intendCreation(installation, run, "Edge policy");
  const deadline = await deadlineIn(installation, run);
  expect(leftMs()).toBeGreaterThan(0);
  expect(leftMs()).toBeLessThan(deadline - 400);
});

test("a worker whose host slept with a call intended does not send it, though its timers stood still", async () => {
  const { leftMs } = await intendCreation(installation, run, "Edge policy");
  const awake = Date.now();
  const clock = jest.spyOn(Date, "now").mockImplementation(() => awake + 60_000);
  try {
    expect(leftMs()).toBeLessThan(0);
  } finally {
    clock.mockRestore();
  }
});

test("a host whose clock is set back while a call is intended does not take it for longer", async () => {
  const { leftMs } = await intendCreation(installation, run, "Edge policy");
  const before = Date.now();
  const clock = jest.spyOn(Date, "now").mockImplementation(() => before - 3_600_000);
  try {
    expect(leftMs()).toBeLessThan(await deadlineIn(installation, run));
  } finally {
    clock.mockRestore();
  }
});
