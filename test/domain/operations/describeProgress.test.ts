import { expect, test } from "@jest/globals";
import { progressOf } from "../../../server/domain/operations/describeProgress.ts";

const startedAt = new Date("2031-06-02T12:00:00Z");
const running = {
  status: "running",
  isStuck: false,
  attempt: 1,
  startedAt,
  progressDone: 20,
  progressTotal: 80,
} as const;
const after = (seconds: number) => new Date(+startedAt + seconds * 1_000);

test.each([
  ["at first", {}, 4, "20 of 80 items · 25 %"],
  ["after a while", {}, 10, "20 of 80 items · 25 % · 120 a minute · less than a minute left"],
  ["for longer", {}, 120, "20 of 80 items · 25 % · 10 a minute · about 6 min left"],
  ["slowly", {}, 3_600, "20 of 80 items · 25 % · 20 an hour · about 3 h left"],
  [
    "fast",
    { progressDone: 30_000, progressTotal: 31_000 },
    60,
    "30,000 of 31,000 items · 96 % · 30,000 a minute · less than a minute left",
  ],
  ["with all done", { progressDone: 80 }, 60, "80 of 80 items · 100 % · 80 a minute"],
  ["to no known end", { progressTotal: null }, 60, "20 items so far · 20 a minute"],
  ["without anything done", { progressDone: 0 }, 60, "0 of 80 items · 0 %"],
  ["in a later attempt, whose start is not kept", { attempt: 2 }, 60, "20 of 80 items · 25 %"],
  ["without a sign of life", { isStuck: true }, 60, "20 of 80 items · 25 %"],
])("under way %s", (_title, changed, seconds, words) => {
  expect(progressOf({ ...running, ...changed }, after(seconds))?.words).toBe(words);
});

test.each(["queued", "completed"] as const)("one that is %s has none", (status) => {
  expect(progressOf({ ...running, status }, after(60))).toBeNull();
});
