import { randomBytes } from "node:crypto";
import { afterAll, beforeAll } from "@jest/globals";
import pg from "pg";
import { type Db, type InstallationRules, openDatabase } from "../../server/db/database.ts";

export type TestDatabase = { db: Db; url: string };
export type OwnDatabase = TestDatabase & {
  /** What has to end before the database is dropped, e.g. processes that are connected to it. */
  beforeDrop(work: () => Promise<void>): void;
};

/**
 * A database of its own for one test file, cloned from the migrated template and dropped at its end. The
 * returned object is filled before the first test runs.
 */
export function useDatabase(rules?: InstallationRules): OwnDatabase {
  const endings: (() => Promise<void>)[] = [];
  const name = `test_${randomBytes(6).toString("hex")}`;
  const holder: { current: TestDatabase | undefined } = { current: undefined };
  beforeAll(async () => {
    await administer(`create database ${name} template ${setting("TEST_TEMPLATE")}`);
    const url = new URL(setting("TEST_POSTGRES_URL"));
    url.pathname = `/${name}`;
    holder.current = { url: url.href, db: openDatabase({ url: url.href, max: 40, ...(rules && { rules }) }) };
  });
  afterAll(async () => {
    for (const ending of endings) await ending();
    await holder.current?.db.end();
    await administer(`drop database if exists ${name} with (force)`);
  });
  const filled = () => {
    if (holder.current === undefined) throw new Error("The test database is there from beforeAll on.");
    return holder.current;
  };
  return {
    beforeDrop: (work) => void endings.push(work),
    get db() {
      return filled().db;
    },
    get url() {
      return filled().url;
    },
  };
}

function setting(name: "TEST_POSTGRES_URL" | "TEST_TEMPLATE"): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error("Run the tests through `npm test`: it starts PostgreSQL for them.");
  return value;
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: setting("TEST_POSTGRES_URL") });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
