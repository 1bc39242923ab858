import { expect, test } from "@jest/globals";
import { lookPatiently, makePatience } from "../../jobs/lookPatiently.ts";

/** Something that shows as it should from the nth look on; how often it was looked at. */
function lagging(from: number) {
  const seen = { looks: 0 };
  const look = async () => {
    seen.looks += 1;
    return seen.looks >= from;
  };
  return { seen, look };
}

const isThere = (shown: boolean) => shown;

test("what does not show at once is looked at again, and no oftener than it takes", async () => {
  const { seen, look } = lagging(2);
  expect(await lookPatiently(look, isThere)).toBe(true);
  expect(seen.looks).toBe(2);
});

test("what never shows is given up, and the signal ends the waiting with its own reason", async () => {
  const never = lagging(Number.POSITIVE_INFINITY);
  expect(await lookPatiently(never.look, isThere)).toBe(false);
  expect(never.seen.looks).toBe(4);
  const reason = new Error("withdrawn");
  await expect(lookPatiently(never.look, isThere, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test("where several never show in a row the next are looked at once, until one shows", async () => {
  const patiently = makePatience();
  const never = [1, 2, 3].map(() => lagging(Number.POSITIVE_INFINITY));
  await Promise.all(never.map(({ look }) => patiently(look, isThere)));
  expect(never.map(({ seen }) => seen.looks)).toEqual([4, 4, 4]);
  const next = lagging(2);
  expect(await patiently(next.look, isThere)).toBe(false);
  expect(await patiently(next.look, isThere)).toBe(true);
  expect(next.seen.looks).toBe(2);
  const later = lagging(2);
  expect(await patiently(later.look, isThere)).toBe(true);
});
