import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What there has to be a suite of. */
const names = [
  "legitimacy gate (unit)",
  "order of gate and start",
  "request-time blocking",
  "provider verification",
  "inventory sync",
  "restore and write gate",
  "bulk",
  "retry",
  "contract matrix",
  "blocked presentation",
  "system-run notification",
  "audit trail",
  "tenant-less run page",
  "smoke check",
];

/** A file's tests stand in it, or are the cases of the contract matrix that it names. */
const declaresTests = /^\s*(test[.(]|describeMatrix\()/m;

const listed = readListed();

test("the README names each suite once", () => {
  expect(listed.map(({ name }) => name)).toEqual(names);
});

test.each(listed)("$name is run by what the README says: $path", ({ path }) => {
  const files = globSync("test/**/*.test.ts", { cwd: root }).filter((file) => file.includes(path));
  expect(files.length).toBeGreaterThan(0);
  // Something is in it, and nothing of another folder is run by accident.
  for (const file of files) {
    expect(file.startsWith(path)).toBe(true);
    expect(readFileSync(`${root}/${file}`, "utf8")).toMatch(declaresTests);
  }
});

/** The rows between the marks, as name and path. */
function readListed(): { name: string; path: string }[] {
  const readme = readFileSync(`${root}/README.md`, "utf8");
  const table = /<!-- suites -->(.*?)<!-- \/suites -->/s.exec(readme)?.[1] ?? "";
  return [...table.matchAll(/^\| (\S.*?) +\| `npm test -- (\S+)` +\|/gm)].map(([, name = "", path = ""]) => ({
    name,
    path,
  }));
}
