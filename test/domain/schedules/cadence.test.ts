import { describe, expect, test } from "@jest/globals";
import { Invalid } from "../../../server/domain/errors.ts";
import { nextTime, nextTimes, parseCadence } from "../../../server/domain/schedules/cadence.ts";
import { cadenceWords } from "../../../server/domain/schedules/describeCadence.ts";

const isoTimes = (cron: string, timeZone: string, after: string, count = 3) =>
  nextTimes({ cron, timeZone }, new Date(after), count).map((time) => time.toISOString());

test("a time is read in its zone, on whichever UTC day that falls", () => {
  expect(isoTimes("0 6 * * 1-5", "Pacific/Auckland", "2026-11-20T12:00:00Z", 2)).toEqual([
    "2026-11-22T17:00:00.000Z",
    "2026-11-23T17:00:00.000Z",
  ]);
  expect(isoTimes("0 6 * * *", "UTC", "2026-11-20T12:00:00Z", 1)).toEqual(["2026-11-21T06:00:00.000Z"]);
});

describe("when the clocks change", () => {
  test("a time of day that is left out comes right after the gap, and the day is not skipped", () => {
    expect(isoTimes("30 2 * * *", "Europe/Berlin", "2027-03-26T12:00:00Z")).toEqual([
      "2027-03-27T01:30:00.000Z",
      "2027-03-28T01:00:00.000Z",
      "2027-03-29T00:30:00.000Z",
    ]);
  });

  test.each(["30 2 * * *", "30 2,14 * * *"])("a time of day that comes twice counts once (%s)", (cron) => {
    const night = isoTimes(cron, "Europe/Berlin", "2026-10-24T20:00:00Z", 8).filter(
      (time) => time >= "2026-10-25T00:00" && time < "2026-10-25T04:00",
    );
    expect(night).toEqual(["2026-10-25T00:30:00.000Z"]);
  });

  test("what repeats within the hour goes on through the repeated one", () => {
    expect(isoTimes("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-25T01:00:00.000Z",
      "2026-10-25T01:30:00.000Z",
      "2026-10-25T02:00:00.000Z",
    ]);
  });
});

test("what is kept is one space apart and in capitals", () => {
  expect(parseCadence({ cron: "  0  6 * *  mon-fri ", timeZone: " Europe/Berlin " })).toEqual({
    cron: "0 6 * * MON-FRI",
    timeZone: "Europe/Berlin",
  });
});

test.each([
  ["", /Give five fields/],
  ["@daily", /Give five fields/],
  ["0 0 * * * *", /Give five fields/],
  ["? 0 * * *", /Give five fields/],
  ["61 * * * *", /cannot be read as a cron expression \(Invalid value for minute/],
  ["0 0 30 2 *", /never run/],
  ["* * * * *", /would run 1 min apart; leave at least 5 minutes/],
  ["0,58 * * * *", /would run 2 min apart/],
  ["0,59 0,23 * * *", /would run 1 min apart/],
])("%j is refused with what to do about it", (cron, problem) => {
  expect(problemsOf({ cron, timeZone: "UTC" })).toEqual({ cron: expect.stringMatching(problem) });
});

test.each(["*/5 * * * *", "0 0 29 2 *", "0 3 L * *", "0 4 * * MON#1"])("%s is taken", (cron) => {
  expect(parseCadence({ cron, timeZone: "UTC" })).toMatchObject({ cron });
});

test("a time zone that does not exist is refused", () => {
  expect(problemsOf({ cron: "0 * * * *", timeZone: "Mars/Olympus" })).toEqual({
    time_zone: expect.stringContaining("Choose a time zone by its name"),
  });
});

test("what an earlier release kept and this one cannot read has no next time", () => {
  expect(nextTime({ cron: "@sometimes", timeZone: "UTC" }, new Date())).toBeNull();
  expect(nextTime({ cron: "0 * * * *", timeZone: "Gone/Zone" }, new Date())).toBeNull();
});

test.each([
  ["*/15 * * * *", "Every 15 minutes"],
  ["*/7 * * * *", "At the times of */7 * * * *"],
  ["5 * * * *", "Every hour at :05"],
  ["0 */6 * * *", "Every 6 hours on the hour"],
  ["30 2 * * *", "Every day at 02:30"],
  ["0 2,14 * * *", "Every day at 02:00 and 14:00"],
  ["0 6 * * 1-5", "Monday to Friday at 06:00"],
  ["0 6 * * MON-FRI", "Monday to Friday at 06:00"],
  ["0 3 * * 0", "Every Sunday at 03:00"],
  ["0 3 * * 1,4", "Every Monday and Thursday at 03:00"],
  ["0 4 1 * *", "On day 1 of every month at 04:00"],
  ["0 4 1,15 * *", "On day 1 and 15 of every month at 04:00"],
  ["0 4 L * *", "On the last day of every month at 04:00"],
  ["0 4 1 * 1", "At the times of 0 4 1 * 1"],
  ["0 4 1 1 *", "At the times of 0 4 1 1 *"],
  ["*/10 9-17 * * 1-5", "At the times of */10 9-17 * * 1-5"],
])("%s reads %j", (cron, words) => {
  expect(cadenceWords({ cron })).toBe(words);
});

function problemsOf(cadence: { cron: string; timeZone: string }) {
  try {
    parseCadence(cadence);
  } catch (error) {
    if (error instanceof Invalid) return error.fields;
    throw error;
  }
  return {};
}
