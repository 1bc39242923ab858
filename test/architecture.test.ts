import { describe, expect, test } from "@jest/globals";
import { importsOf, readSources, rules, type Source } from "./helpers/architecture.ts";

const sources = readSources();

test("the project's files are found", () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.map(({ path }) => path)).toContain("server/domain/authority/decide.ts");
});

describe.each(rules)("$name", (rule) => {
  test("everywhere", () => {
    const violations = sources.flatMap((source) =>
      rule.violations(source).map((what) => `${source.path}: ${what}`),
    );
    expect(violations).toEqual([]);
  });

  test("and a file that breaks it is found", () => {
    const breaking = breaches[rule.name];
    expect(breaking).toBeDefined();
    if (breaking !== undefined) expect(rule.violations(breaking)).not.toEqual([]);
  });
});

/** For each rule a file that breaks it: a rule that cannot fail proves nothing. */
const breaches: Record<string, Source> = {
  "domain knows no web framework": file("server/domain/a/b.ts", 'import type { Request } from "express";'),
  "domain knows no queue": file("server/domain/a/b.ts", 'import { run } from "graphile-worker";'),
  "domain reaches the database through server/db only": file("server/domain/a/b.ts", 'import pg from "pg";'),
  "domain sees the provider's port, never what is behind it": file(
    "server/domain/a/b.ts",
    'import { x } from "../../provider/graph/graphClient.ts";',
  ),
  "domain looks neither at pages nor at the worker": file(
    "server/domain/a/b.ts",
    'import {\n  x,\n} from "../../../jobs/deps.ts";',
  ),
  "authority knows no other part of the domain": file(
    "server/domain/authority/b.ts",
    'import { recordAudit } from "../audit/recordAudit.ts";',
  ),
  "pages know neither the worker nor the database's drivers": file(
    "server/routes/a.ts",
    'const task = await import("../../jobs/taskList.ts");',
  ),
  "the worker knows no pages": file("jobs/a.ts", 'export { paths } from "../server/http/paths.ts";'),
  "tasks see neither pool nor queue": file(
    "jobs/tasks/a.ts",
    'import { openDatabase } from "../../server/db/database.ts";',
  ),
  "server/db knows nothing above it": file("server/db/a.ts", 'import "../domain/errors.ts";'),
  "provider knows nothing above it": file("server/provider/a.ts", 'import { Tx } from "../db/database.ts";'),
  "only the demo and tests use the demo and the embedded PostgreSQL": file(
    "bin/a.ts",
    'import { seed } from "../server/demo/seed.ts";',
  ),
  "no part of the product imports a test": file("bin/a.ts", 'import { x } from "../test/helpers/queue.ts";'),
  "the environment is read in server/config.ts only": file(
    "bin/a.ts",
    "const url = process.env.DATABASE_URL;",
  ),
  "views escape everything but their parts": file("views/a/b.ejs", "<p><%- run.name %></p>"),
  "no inline script, style or handler": file("views/a/b.ejs", '<a href="/" onclick="go()">Go</a>'),
  "no escape from the types": file("server/a.ts", "const run = row as Run;"),
  "a file is called by what it is about": file("server/domain/runManager.ts", ""),
  "a file holds one idea: at most 200 lines": file("server/a.ts", "\n".repeat(201)),
};

function file(path: string, text: string): Source {
  return { path, text };
}

test.each([
  ['import a from "a";', ["a"]],
  ['import type { A } from "./b.ts";', ["server/x/b.ts"]],
  ['import {\n  a,\n  b,\n} from "../c.ts";', ["server/c.ts"]],
  ['import "./d.ts";', ["server/x/d.ts"]],
  ['export { a } from "./e.ts";', ["server/x/e.ts"]],
  ['const a = await import("./f.ts");', ["server/x/f.ts"]],
  ["// nothing to import", []],
])("what %j imports is read", (text, expected) => {
  expect(importsOf({ path: "server/x/a.ts", text })).toEqual(expected);
});
